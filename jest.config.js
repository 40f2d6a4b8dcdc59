/**
 * Specs lie beside what they test. swc only strips the types; `tsc -b` and `npm run check` check them. The extension's run in jsdom, with
 * JupyterLab's packages turned from ES modules into what jest loads; the rest runs as it ships.
 */
const swc = options => [
  '@swc/jest',
  { module: { type: 'commonjs', importInterop: 'node' }, sourceMaps: 'inline', ...options, jsc: { target: 'es2024', ...options.jsc } },
];
const typescript = { syntax: 'typescript', tsx: false, decorators: false };
const shared = { moduleFileExtensions: ['ts', 'tsx', 'js', 'mjs', 'json'], testPathIgnorePatterns: ['/node_modules/', '/lib/'] };

module.exports = {
  projects: [
    {
      ...shared,
      displayName: 'server',
      testEnvironment: 'node',
      roots: ['<rootDir>/pipeline', '<rootDir>/server'],
      testMatch: ['**/*.spec.ts'],
      transform: {
        '^.+\\.ts$': swc({ jsc: { parser: typescript } }),
        '/node_modules/.+\\.m?js$': swc({ module: { type: 'commonjs', importInterop: 'swc' }, jsc: {} }),
      },
      // The Kubernetes client and what it brings ship as ES modules alone.
      transformIgnorePatterns: [
        '/node_modules/(?!(@kubernetes|openid-client|oauth4webapi|jose|socks-proxy-agent|agent-base|jsonpath-plus)/)',
      ],
    },
    {
      ...shared,
      displayName: 'extension',
      testEnvironment: 'jsdom',
      roots: ['<rootDir>/extension'],
      testMatch: ['**/*.spec.ts', '**/*.spec.tsx'],
      setupFiles: ['<rootDir>/extension/jsdom.js'],
      moduleNameMapper: { '\\.(css|svg)$': '<rootDir>/extension/asset.js', '^.*/docs/problems\\.md$': '<rootDir>/docs/problems.md' },
      transform: {
        '\\.md$': '<rootDir>/extension/markdown.js',
        '^.+\\.tsx?$': swc({
          module: { type: 'commonjs', importInterop: 'swc' },
          jsc: { parser: { ...typescript, tsx: true }, transform: { react: { runtime: 'automatic' } } },
        }),
        '^.+\\.m?js$': swc({ module: { type: 'commonjs', importInterop: 'swc' }, jsc: {} }),
      },
      // Only what ships as ES modules alone; the rest of node_modules loads as it is.
      transformIgnorePatterns: [
        '/node_modules/(?!(@jupyterlab|@jupyter|@lumino|@codemirror|@lezer|@microsoft|@rjsf|@xyflow|@tanstack|yjs|y-protocols|lib0|nanoid|marked|crelt|style-mod|w3c-keyname|exenv-es6|vscode-ws-jsonrpc|lodash-es|d3-[^/]+|@marijn|vscode-jsonrpc|comlink|@fortawesome)/)',
      ],
    },
  ],
};
