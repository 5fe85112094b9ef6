/** The commands as texts that the user reads. */
import { newCommand } from './shared-options.js';

export interface NamedCommand {
  name: string;
  /** What it does, in a sentence. */
  summary: string;
}

/** A line a command: its name and what it does. */
export function listCommands(commands: readonly NamedCommand[]): string[] {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
}

/** `Did you mean status?`, by the measure that commander has for its options; nothing when no command is like the word. */
export function suggestCommand(word: string, commands: readonly NamedCommand[]): string {
  const program = newCommand('bookgrid').configureOutput({ writeErr: () => {} });
  for (const { name } of commands) program.command(name);
  try {
    program.parse([word], { from: 'user' });
  } catch (error) {
    return /\((Did you mean .*)\)/.exec((error as Error).message)?.[1] ?? '';
  }
  return '';
}
