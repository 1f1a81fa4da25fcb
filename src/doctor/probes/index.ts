import type { Probe } from '../probe.js';
import { addon } from './addon.js';
import { agentRuns } from './agent.js';
import { canary } from './canary.js';
import { clock } from './clock.js';
import { configuration } from './configuration.js';
import { dataFolder } from './data-folder.js';
import { database } from './database.js';
import { destinations } from './destinations.js';
import { disk } from './disk.js';
import { folders } from './folders.js';
import { fullDiskAccess } from './full-disk-access.js';
import { gaps } from './gaps.js';
import { installed } from './installed.js';
import { jobDrift } from './job-drift.js';
import { jobState } from './job-state.js';
import { loginItem } from './login-item.js';
import { policy } from './policy.js';
import { programOwners } from './program-owners.js';
import { rootRights } from './root-rights.js';
import { sensors } from './sensors.js';
import { sqlite } from './sqlite.js';
import { tier } from './tier.js';

/** Section by section, as they are shown. */
export const probes: readonly Probe[] = [
  configuration,
  policy,
  installed,
  addon,
  sqlite,
  programOwners,
  rootRights,
  fullDiskAccess,
  tier,
  sensors,
  gaps,
  agentRuns,
  jobState,
  jobDrift,
  loginItem,
  folders,
  dataFolder,
  database,
  disk,
  destinations,
  canary,
  clock,
];
