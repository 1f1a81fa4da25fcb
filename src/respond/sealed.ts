const dataVolume = '/System/Volumes/Data/';

/** Why nothing at a macOS path can be moved or put; undefined when that can be tried. */
export function sealed(macPath: string): string | undefined {
  if (
    /^\/System\/Library\//i.test(macPath) ||
    (/^\/System\//i.test(macPath) && !macPath.startsWith(dataVolume))
  )
    return 'stands on the sealed system volume: macOS lets nobody change it while it runs, root neither (System Integrity Protection). An unknown file there means that the seal was broken: reinstall macOS';
  if (/^\/Library\/Apple\//i.test(macPath) || /^\/(?:usr\/(?!local\/)|bin\/|sbin\/)/i.test(macPath))
    return 'is protected by System Integrity Protection: root cannot change it either. An unknown file there means that the protection was off: see "csrutil status"';
  return undefined;
}
