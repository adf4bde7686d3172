import type {
  CompletionHandler,
  ICompletionContext,
  ICompletionProvider
} from '@jupyterlab/completer';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { JSONSchema7 } from 'json-schema';
import type { Api } from '../api';
import type { CoflowsModel } from '../sections/workflow/model';
import { isOwnFile } from './lint';
import { placeAt } from './place';
import { suggest } from './suggest';

const NAMES = ['package.json', 'coflows_config.json'] as const;
type Name = (typeof NAMES)[number];

/** Completes keys and values of `coflows_config.json` and `package.json` from the server's schemas. */
export class SchemaProvider implements ICompletionProvider {
  constructor(
    private _api: Api,
    private _model: CoflowsModel,
    private _documents: IDocumentManager
  ) {}

  readonly identifier = 'CoflowsProvider:schema';
  readonly rank = 1000;

  // Lab asks once, when a file is opened; which files are the Workflow's may not be known yet. It waits a second for
  // what is typed and then shows the words of the file, so both schemas are asked for now.
  isApplicable({ widget }: ICompletionContext): Promise<boolean> {
    const path = this._documents.contextForWidget(widget)?.localPath ?? '';
    const applicable = path.endsWith('.json');
    if (applicable) {
      NAMES.forEach(name => void this._schema(name));
    }
    return Promise.resolve(applicable);
  }

  async fetch(
    { text, offset }: CompletionHandler.IRequest,
    context: ICompletionContext
  ): Promise<CompletionHandler.ICompletionItemsReply> {
    const place = placeAt(text, offset);
    const path = this._path(context);
    if (!place || path === null) {
      return { start: offset, end: offset, items: [] };
    }
    const isPackage = path === this._model.workflow?.package_path;
    const schema = await this._schema(isPackage ? 'package.json' : 'coflows_config.json');
    const items = suggest(schema, place).map(({ label, insert, documentation }) => ({
      label,
      insertText: insert,
      documentation,
      type: place.kind === 'key' ? 'property' : 'value'
    }));
    return { start: place.from, end: place.to, items };
  }

  private _path({ widget }: ICompletionContext): string | null {
    const path = this._documents.contextForWidget(widget)?.localPath;
    return path !== undefined && isOwnFile(this._model, path) ? path : null;
  }

  private _schema(name: Name): Promise<JSONSchema7> {
    const known = this._schemas.get(name) ?? this._api.schema(name);
    this._schemas.set(name, known);
    known.catch(() => this._schemas.delete(name)); // asked again when it is needed again
    return known;
  }

  private _schemas = new Map<Name, Promise<JSONSchema7>>();
}
