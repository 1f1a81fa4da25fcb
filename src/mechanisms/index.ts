import { account } from './account.js';
import { appExtension } from './app-extension.js';
import { assistantHook } from './assistant-hook.js';
import { atJob } from './at-job.js';
import { audioPlugIn } from './audio-plug-in.js';
import { authorizationPlugIn } from './authorization-plug-in.js';
import { automountMap } from './automount-map.js';
import { backgroundItem } from './background-item.js';
import { browserExtension } from './browser-extension.js';
import { browserPolicy } from './browser-policy.js';
import { bundledLaunchItem } from './bundled-launch-item.js';
import { calendarAlarm } from './calendar-alarm.js';
import { colorPicker } from './color-picker.js';
import { configurationProfile } from './configuration-profile.js';
import { cron } from './cron.js';
import { directoryServicePlugIn } from './directory-service-plug-in.js';
import { dockShortcut } from './dock-shortcut.js';
import { dockTilePlugIn } from './dock-tile-plug-in.js';
import { dylibInsertion } from './dylib-insertion.js';
import { dylibProxy } from './dylib-proxy.js';
import { editorExtension } from './editor-extension.js';
import { editorStartup } from './editor-startup.js';
import { editorTask } from './editor-task.js';
import { eventMonitor } from './event-monitor.js';
import { fileSystem } from './file-system.js';
import { folderAction } from './folder-action.js';
import { gitConfig } from './git-config.js';
import { homebrewService } from './homebrew-service.js';
import { inputMethod } from './input-method.js';
import { kernelExtension } from './kernel-extension.js';
import { launchAgent, launchDaemon } from './launch-items.js';
import { launchdSetting } from './launchd-setting.js';
import { logRotation } from './log-rotation.js';
import { loginHook } from './login-hook.js';
import { loginItem } from './login-item.js';
import { mailBundle } from './mail-bundle.js';
import { mailRule } from './mail-rule.js';
import type { Mechanism } from './mechanism.js';
import { npmConfig } from './npm-config.js';
import { openDirectoryModule } from './open-directory-module.js';
import { pam } from './pam.js';
import { periodic } from './periodic.js';
import { preferencePane } from './preference-pane.js';
import { programPlugIn } from './program-plug-in.js';
import { pythonStartup } from './python-startup.js';
import { quickLookGenerator } from './quick-look-generator.js';
import { reopenedWindow } from './reopened-window.js';
import { screenSaver } from './screen-saver.js';
import { scriptingAddition } from './scripting-addition.js';
import { shellStartup } from './shell-startup.js';
import { spotlightImporter } from './spotlight-importer.js';
import { sshAuthorizedKey } from './ssh-authorized-key.js';
import { sshConfig } from './ssh-config.js';
import { sshRc } from './ssh-rc.js';
import { startupItem } from './startup-item.js';
import { startupScript } from './startup-script.js';
import { sudoers } from './sudoers.js';
import { systemExtension } from './system-extension.js';
import { terminalStartup } from './terminal-startup.js';
import { toolStartup } from './tool-startup.js';
import { userTemplate } from './user-template.js';
import { workflow } from './workflow.js';

export { type Found, MechanismPlaces } from './find.js';
export { launchItemOf } from './launch-items.js';
export { InstalledLabels } from './look-alike.js';
export type { Mechanism, MechanismFile, PersistentItem, Place, When } from './mechanism.js';
export { readItems } from './read-items.js';
export { type TechniqueId, techniques } from './techniques.js';

/** Every persistence mechanism that is known, in the order in which lists show them. */
export const mechanisms: readonly Mechanism[] = [
  launchDaemon,
  launchAgent,
  bundledLaunchItem,
  userTemplate,
  launchdSetting,
  backgroundItem,
  loginItem,
  directoryServicePlugIn,
  openDirectoryModule,
  authorizationPlugIn,
  pam,
  sudoers,
  account,
  sshAuthorizedKey,
  sshRc,
  sshConfig,
  cron,
  atJob,
  periodic,
  logRotation,
  automountMap,
  startupScript,
  startupItem,
  loginHook,
  shellStartup,
  eventMonitor,
  kernelExtension,
  systemExtension,
  browserExtension,
  browserPolicy,
  appExtension,
  dockTilePlugIn,
  quickLookGenerator,
  spotlightImporter,
  dylibInsertion,
  dylibProxy,
  inputMethod,
  screenSaver,
  preferencePane,
  audioPlugIn,
  fileSystem,
  colorPicker,
  scriptingAddition,
  programPlugIn,
  folderAction,
  workflow,
  mailRule,
  mailBundle,
  calendarAlarm,
  reopenedWindow,
  dockShortcut,
  // After those that know more of a managed domain.
  configurationProfile,
  terminalStartup,
  editorStartup,
  editorTask,
  editorExtension,
  toolStartup,
  assistantHook,
  pythonStartup,
  homebrewService,
  gitConfig,
  npmConfig,
];
