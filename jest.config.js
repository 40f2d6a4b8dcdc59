/** Specs lie beside what they test, in `pipeline/` and `server/`. swc only strips the types; `tsc -b` and `npm run check` check them. */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/pipeline', '<rootDir>/server'],
  testMatch: ['**/*.spec.ts'],
  moduleFileExtensions: ['ts', 'js', 'json'],
  testPathIgnorePatterns: ['/node_modules/', '/lib/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript', decorators: false }, target: 'es2024' },
        module: { type: 'commonjs', importInterop: 'node' },
        sourceMaps: 'inline',
      },
    ],
  },
};
