import type { CodegenConfig } from '@graphql-codegen/cli';

// The schema comes from the running server, by introspection.
const config: CodegenConfig = {
  schema: new URL('/graphql', process.env.FORGE_URL).href,
  documents: ['codegen/*.ts'],
  generates: {
    'generated/codegen/': {
      preset: 'client',
      presetConfig: {
        fragmentMasking: { unmaskFunctionName: 'unmask' },
        persistedDocuments: { hashAlgorithm: 'sha256' },
      },
      config: {
        strictScalars: true,
        scalars: { BigInt: 'string', ChangeCursor: 'string', Cursor: 'string', JSON: 'unknown', Time: 'string' },
        useTypeImports: true,
      },
    },
  },
};

export default config;
