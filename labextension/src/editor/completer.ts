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

/** Completes keys and values of `coflows_config.json` and `package.json` from the server's schemas. */
export class SchemaProvider implements ICompletionProvider {
  constructor(
    private _api: Api,
    private _model: CoflowsModel,
    private _documents: IDocumentManager
  ) {}

  readonly identifier = 'CoflowsProvider:schema';
  readonly rank = 1000;

  isApplicable(context: ICompletionContext): Promise<boolean> {
    return Promise.resolve(this._path(context) !== null);
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

  private async _schema(name: string): Promise<JSONSchema7> {
    const known = this._schemas.get(name) ?? (await this._api.schema(name));
    this._schemas.set(name, known);
    return known;
  }

  private _schemas = new Map<string, JSONSchema7>();
}
