import './workers.js'; // before any editor is made
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './style.css';
import './reload.js';

import { createRoot } from 'react-dom/client';
import { mendTabs } from './tabs.js';
import { GraphiQL } from 'graphiql';
import { examples } from './examples.js';
import { FollowSystem } from './dark.js';
import { fetcher } from './fetcher.js';
import { Links } from './links.jsx';
import { SignIn } from './sign-in.jsx';
import { SqlCost } from './sql-cost.jsx';
import { storage } from './storage.js';

mendTabs(document.getElementById('root'));

createRoot(document.getElementById('root')).render(
  <GraphiQL
    fetcher={fetcher}
    storage={storage}
    defaultTabs={examples.length > 0 ? examples : undefined}
    defaultEditorToolsVisibility={true}
    shouldPersistHeaders={false} // a token may be among them
    schemaDescription={true}
    inputValueDeprecation={true}
  >
    <GraphiQL.Logo>
      <div className="forge-corner">
        <FollowSystem />
        <Links />
        <SignIn />
        Forge
      </div>
    </GraphiQL.Logo>
    <GraphiQL.Footer>
      <SqlCost />
    </GraphiQL.Footer>
  </GraphiQL>,
);
