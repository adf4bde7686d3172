/** Where a cursor stands in JSON as people write it: with comments, trailing commas, and half-typed. */
export interface IPlace {
  /** Whether a key or a value belongs here. */
  kind: 'key' | 'value';
  /** Keys and list indices from the root: of the object that the key is in, or of the value. */
  path: (string | number)[];
  /** What a completion replaces: from behind an opening quote to the end of the word, its quote included. */
  from: number;
  to: number;
  /** Whether the opening quote is there. */
  quoted: boolean;
  /** Whether a colon follows already. */
  followed: boolean;
  /** The other keys of the object around. */
  siblings: string[];
}

interface IToken {
  text: string;
  start: number;
  end: number;
}

interface IFrame {
  kind: 'object' | 'array';
  expects: 'key' | 'colon' | 'value' | 'comma';
  step: string | number;
  keys: { name: string; start: number }[];
}

const TOKEN =
  /\/\/[^\r\n]*|\/\*[\s\S]*?(?:\*\/|$)|"(?:[^"\\\r\n]|\\.)*"?|[{}[\],:]|[^\s{}[\],:"/]+|\//g;
const COMMENT = /^\/[/*]/;

/**
 * Find what belongs at an offset; null in comments and where neither a key nor a value can be.
 *
 * @param text - the whole document, broken or not.
 */
export function placeAt(text: string, offset: number): IPlace | null {
  const stack: IFrame[] = [{ kind: 'array', expects: 'value', step: 0, keys: [] }];
  const tokens = tokenize(text);
  for (const [index, token] of tokens.entries()) {
    if (COMMENT.test(token.text)) {
      const open = token.text.startsWith('//') || !token.text.endsWith('*/');
      if (token.start < offset && (offset < token.end || (open && offset === token.end))) {
        return null;
      }
      continue;
    }
    if (offset <= token.start && !(offset === token.start && isWord(token.text))) {
      return makePlace(stack, { text: '', start: offset, end: offset }, tokens.slice(index));
    }
    if (isInside(token, offset)) {
      return makePlace(stack, token, tokens.slice(index + 1));
    }
    advance(stack, token);
  }
  return makePlace(stack, { text: '', start: offset, end: offset }, []);
}

function tokenize(text: string): IToken[] {
  return Array.from(text.matchAll(TOKEN), ({ 0: found, index }) => ({
    text: found,
    start: index,
    end: index + found.length
  }));
}

function isWord(text: string): boolean {
  return !/^["{}[\],:]/.test(text);
}

function isString(text: string): boolean {
  return text.startsWith('"');
}

function isInside({ text, start, end }: IToken, offset: number): boolean {
  if (isString(text)) {
    const closed = text.length > 1 && text.endsWith('"');
    return start < offset && (closed ? offset < end : offset <= end);
  }
  return isWord(text) && offset <= end;
}

function advance(stack: IFrame[], { text, start }: IToken): void {
  const frame = stack[stack.length - 1];
  switch (text) {
    case '{':
    case '[':
      frame.expects = 'comma';
      stack.push(
        text === '{'
          ? { kind: 'object', expects: 'key', step: '', keys: [] }
          : { kind: 'array', expects: 'value', step: 0, keys: [] }
      );
      break;
    case '}':
    case ']':
      if (stack.length > 1) {
        stack.pop();
      }
      break;
    case ',':
      frame.expects = frame.kind === 'object' ? 'key' : 'value';
      if (typeof frame.step === 'number') {
        frame.step++;
      }
      break;
    case ':':
      frame.expects = 'value';
      break;
    default:
      // A text where a comma is due is the next key: the comma before it is missing.
      if (frame.kind === 'object' && frame.expects !== 'value') {
        frame.step = unquote(text);
        frame.keys.push({ name: frame.step, start });
        frame.expects = 'colon';
      } else {
        frame.expects = 'comma';
      }
  }
}

function makePlace(stack: IFrame[], token: IToken, rest: IToken[]): IPlace | null {
  const frame = stack[stack.length - 1];
  const isKey = frame.kind === 'object' && frame.expects !== 'value';
  if (frame.expects === 'colon' || (!isKey && frame.expects === 'comma')) {
    return null;
  }
  const quoted = isString(token.text);
  const next = rest.find(({ text }) => !COMMENT.test(text));
  const path = stack.slice(1).map(({ step }) => step);
  return {
    kind: isKey ? 'key' : 'value',
    path: isKey ? path.slice(0, -1) : path,
    from: quoted ? token.start + 1 : token.start,
    to: token.end,
    quoted,
    followed: next?.text === ':',
    siblings: isKey ? keysAround(stack, rest) : []
  };
}

/** The keys before the cursor, and those after it up to the end of the object. */
function keysAround(stack: IFrame[], rest: IToken[]): string[] {
  const depth = stack.length;
  const frame = stack[depth - 1];
  const ahead = [
    ...stack.slice(0, -1),
    { ...frame, expects: 'colon' as const, keys: [...frame.keys] }
  ];
  const own = ahead[depth - 1];
  for (const token of rest) {
    if (!COMMENT.test(token.text)) {
      advance(ahead, token);
    }
    if (ahead.length < depth) {
      break;
    }
  }
  return own.keys.map(({ name }) => name);
}

function unquote(text: string): string {
  return text.replace(/^"|"$/g, '');
}
