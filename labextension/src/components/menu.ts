import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import { Menu } from '@lumino/widgets';

/**
 * Open a menu of commands below a button, which gets the focus back.
 *
 * @param args - given to each of the commands.
 */
export function openMenu(
  registry: CommandRegistry,
  button: HTMLElement,
  commands: readonly string[],
  args?: ReadonlyJSONObject
): void {
  const menu = new Menu({ commands: registry });
  for (const command of commands) {
    menu.addItem({ command, args });
  }
  const { left, bottom } = button.getBoundingClientRect();
  menu.aboutToClose.connect(() => button.focus());
  menu.open(left, bottom);
}
