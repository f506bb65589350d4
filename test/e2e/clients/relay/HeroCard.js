const { graphql } = require('relay-runtime');

graphql`
  fragment HeroCard_hero on Hero @refetchable(queryName: "HeroCardRefetchQuery") {
    id
    name
    age
    version
    createdAt
    team {
      name
    }
  }
`;

graphql`
  mutation HeroCardCreateMutation($input: CreateHeroInput!, $connections: [ID!]!) {
    createHero(input: $input) {
      hero @appendNode(connections: $connections, edgeTypeName: "HeroEdge") {
        id
        ...HeroCard_hero
      }
    }
  }
`;

graphql`
  mutation HeroCardRenameMutation($id: ID!, $name: String!, $version: Int) @raw_response_type {
    updateHero(id: $id, expectedVersion: $version, input: { name: $name }) {
      hero {
        id
        name
        version
      }
    }
  }
`;

graphql`
  mutation HeroCardDeleteMutation($id: ID!, $connections: [ID!]!) {
    deleteHero(id: $id) {
      deletedId @deleteEdge(connections: $connections)
    }
  }
`;
