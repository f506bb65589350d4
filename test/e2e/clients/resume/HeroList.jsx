import { useEffect, useState } from 'react';
import { gql, useClient, useQuery } from 'urql';

const Heroes = gql`
  query Heroes {
    changeCursor
    heroes(first: 50) {
      nodes {
        id
        name
        version
      }
    }
  }
`;

const Changes = gql`
  subscription Changes($after: ChangeCursor!) {
    heroChanges(after: $after) {
      changes {
        kind
        id
        hero {
          id
          name
          version
        }
      }
    }
  }
`;

// changed returns the rows with a change in them. A change may come twice, so that it sets a row,
// and never counts.
export function changed(rows, { kind, id, hero }) {
  if (kind === 'REMOVED' || !hero) {
    return rows.filter((row) => row.id !== id);
  }
  return rows.some((row) => row.id === id) ? rows.map((row) => (row.id === id ? hero : row)) : [...rows, hero];
}

// HeroList shows heroes, as they are now.
export function HeroList() {
  const client = useClient();
  const [rows, setRows] = useState([]);
  const [{ data, error }, readAgain] = useQuery({ query: Heroes, requestPolicy: 'network-only' });

  useEffect(() => {
    if (!data) {
      return undefined;
    }
    setRows(data.heroes.nodes);
    const { unsubscribe } = client
      .subscription(Changes, { after: data.changeCursor })
      .subscribe(({ data: message, error: lost }) => {
        const code = lost?.graphQLErrors[0]?.extensions.code;
        const changes = message?.heroChanges.changes ?? [];
        // Too much has happened to be told one by one, or it is no longer kept.
        if (code?.startsWith('CURSOR_') || changes.some(({ kind }) => kind === 'MANY')) {
          readAgain();
        } else {
          setRows((before) => changes.reduce(changed, before));
        }
      });
    return unsubscribe;
  }, [client, data, readAgain]);

  if (error && !data) {
    return <p role="alert">{error.graphQLErrors[0]?.message ?? 'The server cannot be reached.'}</p>;
  }
  return (
    <ul>
      {rows.map(({ id, name }) => (
        <li key={id}>{name}</li>
      ))}
    </ul>
  );
}
