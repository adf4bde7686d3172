import js from '@eslint/js';
import hooks from 'eslint-plugin-react-hooks';
import ts from 'typescript-eslint';

export default ts.config(
  { ignores: ['lib/', 'node_modules/', 'coverage/'] },
  js.configs.recommended,
  {
    files: ['src/**/*.{ts,tsx}'],
    extends: [...ts.configs.strictTypeChecked, ...ts.configs.stylisticTypeChecked],
    plugins: { 'react-hooks': hooks },
    languageOptions: {
      parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname }
    },
    rules: {
      ...hooks.configs.recommended.rules,
      eqeqeq: 'error',
      // JupyterLab's convention: interfaces carry an I.
      '@typescript-eslint/naming-convention': [
        'error',
        { selector: 'interface', format: ['PascalCase'], custom: { regex: '^I[A-Z]', match: true } }
      ],
      // Numbers and booleans read well in a template.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true }
      ],
      // `<button onClick={() => run()}>` is how React handlers are written.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // An empty text from the server counts as none.
      '@typescript-eslint/prefer-nullish-coalescing': [
        'error',
        { ignorePrimitives: { string: true } }
      ],
      // `signal.connect(this._onEvent, this)` is Lumino's way to bind.
      '@typescript-eslint/unbound-method': 'off',
      // Namespaces group command IDs and options, as everywhere in JupyterLab.
      '@typescript-eslint/no-namespace': 'off'
    }
  },
  {
    files: ['src/__tests__/**'],
    // A test that finds nothing where it looks should fail right there.
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' }
  },
  {
    files: ['*.js'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: {
        module: 'writable',
        require: 'readonly',
        __dirname: 'readonly',
        AbortController: 'readonly',
        AbortSignal: 'readonly',
        ReadableStream: 'readonly'
      }
    }
  },
  {
    files: ['tryit/init.js'],
    languageOptions: { globals: { window: 'readonly', document: 'readonly', URL: 'readonly' } }
  }
);
