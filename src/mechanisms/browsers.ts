/** Folders of browsers made from Chromium, below a Library/Application Support; those with profiles have them one level below. */
export const chromeLike: readonly string[] = [
  ...['Google/Chrome', 'Google/Chrome Beta', 'Google/Chrome Canary', 'Chromium', 'Vivaldi', 'Arc/User Data'],
  ...['BraveSoftware/Brave-Browser', 'Microsoft Edge', 'Yandex/YandexBrowser', 'Opera Software/Opera Stable'],
];

/** Their preference domains, which hold policies. */
export const policyDomains: readonly string[] = [
  ...['com.google.Chrome', 'com.google.Chrome.beta', 'org.chromium.Chromium', 'com.microsoft.Edge'],
  ...['com.brave.Browser', 'com.vivaldi.Vivaldi', 'company.thebrowser.Browser', 'com.operasoftware.Opera'],
  'org.mozilla.firefox',
];

/** Folders of resources of Firefox and of browsers made from it. */
export const firefoxLike: readonly string[] = [
  'Firefox',
  'Firefox Developer Edition',
  'Firefox Nightly',
  'LibreWolf',
  'Waterfox',
  'Zen',
].map((name) => `/Applications/${name}.app/Contents/Resources`);
