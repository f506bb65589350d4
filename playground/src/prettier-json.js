import { applyEdits, format } from 'jsonc-parser';

// What GraphiQL's "prettify" needs of prettier for variables and headers, which are JSON with comments.
// It stands in for prettier's JavaScript parser and printer (see vite.config.js), which do much more and
// weigh as much as a tenth of the whole bundle.
export const parsers = {
  jsonc: {
    astFormat: 'plain',
    parse: (text) => ({ text: applyEdits(text, format(text, undefined, { tabSize: 2, insertSpaces: true })) }),
    locStart: () => 0,
    locEnd: (node) => node.text.length,
  },
};

export const printers = {
  plain: { print: (path) => path.node.text.trim() },
};
