import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';

export interface Answer<Result> {
  data?: Result | null;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

// execute sends a document's text.
export function execute<Result, Variables>(url: string, document: TypedDocumentNode<Result, Variables>, variables: Variables): Promise<Answer<Result>> {
  return post(url, { query: print(document), variables });
}

// executeByID sends the hash that the generator has put into the document and into persisted-documents.json.
export function executeByID<Result, Variables>(url: string, document: TypedDocumentNode<Result, Variables>, variables: Variables): Promise<Answer<Result>> {
  const { hash } = (document as { __meta__?: { hash: string } }).__meta__!;
  return post(url, { documentId: hash, variables });
}

async function post<Result>(url: string, body: object): Promise<Answer<Result>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Answer<Result>;
}
