import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { coflowsIcon } from '../icons';

const DOCUMENT_MANAGER = '@jupyterlab/docmanager-extension:plugin';
const FILES = {
  name: 'coflows-file',
  displayName: 'CoFlows File',
  pattern: '^((coflows|quantapp)_config|package)\\.json$',
  extensions: [],
  mimeTypes: ['application/json'],
  fileFormat: 'text' as const,
  contentType: 'file' as const,
  icon: coflowsIcon
};

/**
 * Open the files that describe a Workflow as text.
 *
 * Lab would show JSON in a viewer, which can't edit and knows neither comments nor a missing comma.
 * A viewer that the person chose in Lab's settings stays.
 */
export async function openAsText(app: JupyterFrontEnd, registry: ISettingRegistry): Promise<void> {
  app.docRegistry.addFileType(FILES);
  const [settings] = await Promise.all([registry.load(DOCUMENT_MANAGER), app.restored]);
  // The document manager begins with a clean table whenever its settings change, and was told first.
  const choose = () => {
    const chosen = settings.get('defaultViewers').composite as Record<string, string> | undefined;
    if (chosen?.[FILES.name] === undefined) {
      app.docRegistry.setDefaultWidgetFactory(FILES.name, 'Editor');
    }
  };
  settings.changed.connect(choose);
  choose();
}
