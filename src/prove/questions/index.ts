import type { Question } from '../question.js';
import { applicationsFolder } from './applications-folder.js';
import { processArguments } from './arguments.js';
import { checkIn } from './check-in.js';
import { directoryPlugIns } from './directory-plug-ins.js';
import { directoryStall } from './directory-stall.js';
import { endpointSecurity } from './endpoint-security.js';
import { esloggerEvents } from './eslogger-events.js';
import { exitCodes } from './exit-codes.js';
import { fileEvents } from './file-events.js';
import { forgedLabels } from './forged-labels.js';
import { jit } from './jit.js';
import { jobClass } from './job-class.js';
import { kernelHints } from './kernel-hints.js';
import { libraryValidation } from './library-validation.js';
import { links } from './links.js';
import { loginItems } from './login-items.js';
import { noSession } from './no-session.js';
import { oddPlists } from './odd-plists.js';
import { overrides } from './overrides.js';
import { sleep } from './sleep.js';
import { switchedOff } from './switched-off.js';
import { systemRoots } from './system-roots.js';
import { tccIdentity } from './tcc-identity.js';
import { timers } from './timers.js';
import { volumes } from './volumes.js';

/** Every question, in the order in which they are asked. README names each. */
export const questions: readonly Question[] = [
  exitCodes,
  noSession,
  jobClass,
  timers,
  kernelHints,
  processArguments,
  fileEvents,
  endpointSecurity,
  esloggerEvents,
  checkIn,
  forgedLabels,
  links,
  oddPlists,
  overrides,
  switchedOff,
  loginItems,
  tccIdentity,
  jit,
  libraryValidation,
  directoryStall,
  directoryPlugIns,
  applicationsFolder,
  volumes,
  systemRoots,
  sleep,
];
