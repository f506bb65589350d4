const { graphql } = require('relay-runtime');

graphql`
  subscription HeroChangesRelaySubscription {
    heroChanges {
      cursor
      changes {
        kind
        id
        hero {
          id
          version
        }
      }
    }
  }
`;
