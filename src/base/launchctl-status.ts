/**
 * What the exit status of launchctl says, where it says that something is not there. Sources: Procursus' launchctl
 * (`xpc_private.h`), public reports of macOS 13 to 26; UNPROVEN on a Mac by the authors.
 */
const noDomain: ReadonlySet<number> = new Set([112, 125]);
const noService: ReadonlySet<number> = new Set([113, 3]);

/** 112: could not find the domain; 125: the domain does not support the action, which a Mac without a screen says of `gui/`. */
export function saysNoDomain(status: number | null): boolean {
  return status !== null && noDomain.has(status);
}

/** 113: could not find the service; 3 (ESRCH) is what some versions say of it. */
export function saysNoService(status: number | null): boolean {
  return status !== null && noService.has(status);
}
