const { graphql } = require('relay-runtime');

graphql`
  query HeroListQuery($teamId: ID!, $first: Int, $last: Int) {
    ...HeroList_query @arguments(teamId: $teamId, first: $first, last: $last)
  }
`;

graphql`
  fragment HeroList_query on Query
  @argumentDefinitions(
    teamId: { type: "ID!" }
    first: { type: "Int" }
    after: { type: "Cursor" }
    last: { type: "Int" }
    before: { type: "Cursor" }
  )
  @refetchable(queryName: "HeroListPaginationQuery") {
    heroes(
      first: $first
      after: $after
      last: $last
      before: $before
      where: { teamId: $teamId }
      orderBy: [{ field: AGE, direction: DESC }]
    ) @connection(key: "HeroList_heroes", filters: ["where", "orderBy"]) {
      edges {
        node {
          id
          name
        }
      }
      totalCount
    }
  }
`;

graphql`
  query HeroListPartialQuery($team: ID!, $owner: ID!, $first: Int) {
    team(id: $team) {
      name
    }
    user(id: $owner) @catch(to: RESULT) {
      heroes(first: $first) {
        nodes {
          name
        }
      }
    }
  }
`;
