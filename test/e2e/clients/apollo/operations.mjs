// The operations of Apollo's manifest.
import { gql } from '@apollo/client';

const row = gql`
  fragment Row on Hero {
    id
    name
    version
  }
`;

export const heroes = gql`
  query TrustedHeroes($teamId: ID!, $first: Int, $after: Cursor) {
    heroes(first: $first, after: $after, where: { teamId: $teamId }) {
      edges {
        node {
          ...Row
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
  ${row}
`;

export const rename = gql`
  mutation TrustedRename($id: ID!, $name: String!) {
    updateHero(id: $id, input: { name: $name }) {
      hero {
        ...Row
      }
    }
  }
  ${row}
`;
