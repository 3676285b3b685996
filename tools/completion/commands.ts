/** The subcommands as scripts of shells complete them. */
import { COMMANDS } from "../commands/table.js";
import { type CompletedCommand, describeCommand } from "./model.js";

/** In the order of the table. The build computes it, as it loads all subcommands. */
export async function completedCommands(): Promise<CompletedCommand[]> {
  const commands: CompletedCommand[] = [];
  for (const [name, load] of Object.entries(COMMANDS))
    commands.push(describeCommand(name, (await load()).command));
  return commands;
}
