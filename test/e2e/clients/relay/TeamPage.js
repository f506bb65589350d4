// What an application's components ask for: relay-compiler finds the tags and writes what relay-runtime works with, and the manifest.
const { graphql } = require('relay-runtime');

graphql`
  query TeamPageQuery($id: ID!, $count: Int!) {
    team(id: $id) {
      id
      ...TeamPage_team @arguments(count: $count)
    }
  }
`;

graphql`
  fragment TeamPage_team on Team
  @argumentDefinitions(count: { type: "Int!" }, cursor: { type: "Cursor" })
  @refetchable(queryName: "TeamPagePaginationQuery") {
    name
    heroes(first: $count, after: $cursor, orderBy: [{ field: AGE, direction: DESC }])
      @connection(key: "TeamPage_heroes", filters: ["orderBy"]) {
      __id
      edges {
        node {
          id
          ...HeroCard_hero
        }
      }
    }
  }
`;
