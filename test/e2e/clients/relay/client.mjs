// Relay without React: an environment as an application sets it up, and what react-relay's hooks do with it.
import runtime from 'relay-runtime';
import { endpoint, wire } from '../forge.mjs';

const {
  Environment,
  Network,
  RecordSource,
  Store,
  commitMutation,
  createOperationDescriptor,
  fetchQuery,
  getPaginationMetadata,
  getPaginationVariables,
  getRefetchMetadata,
  getRequest,
  getSelector,
} = runtime;

// newEnvironment returns an environment with an empty store, and the list of what it exchanges with the server: by their texts, or by their IDs
// with a server that has the manifest.
export function newEnvironment({ url = endpoint, byID = false } = {}) {
  const { fetch, exchanges } = wire();
  async function send({ id, text }, variables) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json' },
      body: JSON.stringify(byID ? { documentId: id, variables } : { query: text, variables }),
    });
    return response.json();
  }
  const environment = new Environment({ network: Network.create(send), store: new Store(new RecordSource()) });
  return { environment, exchanges };
}

// load runs a query, keeps it in the store, and returns a function that reads its data as they are now.
export async function load(environment, query, variables) {
  await fetchQuery(environment, query, variables).toPromise();
  const operation = createOperationDescriptor(getRequest(query), variables);
  environment.retain(operation);
  return () => environment.lookup(operation.fragment).data;
}

// read returns the data of a fragment as they are now, and fails if any are missing.
export function read(environment, fragment, ref) {
  const { data, isMissingData } = environment.lookup(getSelector(fragment, ref));
  if (isMissingData) {
    throw new Error(`data of ${fragment.name} are missing: ${JSON.stringify(data)}`);
  }
  return data;
}

// watch tells of each change to what a fragment reads.
export function watch(environment, fragment, ref, changed) {
  const subscription = environment.subscribe(environment.lookup(getSelector(fragment, ref)), ({ data }) => changed(data));
  return () => subscription.dispose();
}

// refetch reads the fragment's object again through the query that the compiler made for it, as useRefetchableFragment does.
export async function refetch(environment, fragment, ref, variables = {}) {
  const { refetchableRequest, identifierInfo } = getRefetchMetadata(fragment, 'refetch');
  const all = { ...getSelector(fragment, ref).owner.variables, ...getSelector(fragment, ref).variables, ...variables };
  await fetchQuery(environment, refetchableRequest, identified(all, identifierInfo, read(environment, fragment, ref))).toPromise();
}

// loadMore reads the next page in a direction, 'forward' or 'backward', as usePaginationFragment does.
export async function loadMore(environment, fragment, ref, direction, count) {
  const { paginationRequest, paginationMetadata, identifierInfo, connectionPathInFragmentData } = getPaginationMetadata(fragment, 'loadMore');
  const data = read(environment, fragment, ref);
  const { pageInfo } = connectionPathInFragmentData.reduce((parent, key) => parent[key], data);
  const cursor = direction === 'forward' ? pageInfo.endCursor : pageInfo.startCursor;
  const { owner, variables } = getSelector(fragment, ref);
  const all = getPaginationVariables(direction, count, cursor, { ...owner.variables, ...variables }, {}, paginationMetadata);
  await fetchQuery(environment, paginationRequest, identified(all, identifierInfo, data)).toPromise();
}

// identified puts in the ID by which node(id:) finds the fragment's object; a fragment on Query has none.
function identified(variables, identifierInfo, data) {
  return identifierInfo ? { ...variables, [identifierInfo.identifierQueryVariableName]: data[identifierInfo.identifierField] } : variables;
}

// mutate commits a mutation, and returns its data and its errors.
export function mutate(environment, mutation, variables, config) {
  return new Promise((resolve, reject) => {
    commitMutation(environment, {
      mutation,
      variables,
      ...config,
      onCompleted: (data, errors) => resolve({ data, errors }),
      onError: reject,
    });
  });
}
