/** Path of launchd's own tool on every Mac. */
export const launchctl = '/bin/launchctl';

export type LaunchValue = string | number | boolean | readonly string[];

/** A launchd job description, in XML. */
export function launchPlist(keys: Readonly<Record<string, LaunchValue>>): string {
  const entries = Object.entries(keys).map(([key, value]) => `<key>${xml(key)}</key>${valueXml(value)}`);
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>${entries.join('')}</dict></plist>
`;
}

function valueXml(value: LaunchValue): string {
  if (typeof value === 'string') return `<string>${xml(value)}</string>`;
  if (typeof value === 'number') return `<integer>${value}</integer>`;
  if (typeof value === 'boolean') return value ? '<true/>' : '<false/>';
  return `<array>${value.map(valueXml).join('')}</array>`;
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
