import { runTool, type ToolAnswer, type ToolLimits } from '../../base/tool.js';

/** Runs launchctl with these arguments. Never rejects. */
export type RunLaunchctl = (args: readonly string[]) => Promise<ToolAnswer>;

/** The launchctl at this absolute path. */
export function launchctlAt(program: string, limits: ToolLimits): RunLaunchctl {
  return (args) => runTool(program, args, limits);
}
