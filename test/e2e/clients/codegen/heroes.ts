// Documents as an application has them: a fragment, variables, enums, an interface and a mutation.
import { graphql } from '../generated/codegen/gql.js';

export const HeroRow = graphql(`
  fragment HeroRow on Hero {
    id
    name
    age
    createdAt
    team {
      name
    }
  }
`);

export const TeamHeroes = graphql(`
  query TeamHeroes($where: HeroWhereInput!, $orderBy: [HeroOrder!], $first: Int!, $after: Cursor) {
    heroes(first: $first, after: $after, where: $where, orderBy: $orderBy) {
      edges {
        cursor
        node {
          ...HeroRow
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
      totalCount
    }
  }
`);

export const Anything = graphql(`
  query Anything($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on User {
        role
        isActive
      }
      ... on Order {
        status
      }
    }
  }
`);

export const MakeHeroes = graphql(`
  mutation MakeHeroes($input: [CreateHeroInput!]!, $onError: OnError) {
    createHeroes(input: $input, onError: $onError) {
      heroes {
        ...HeroRow
      }
      errors {
        index
        code
        field
      }
    }
  }
`);
