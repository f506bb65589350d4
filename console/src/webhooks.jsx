// The endpoints of webhooks: which of them fail, and delivering again.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from './api.js';
import { useModel, useStatus } from './model.jsx';
import { Times } from './table.jsx';
import { Confirm, Failure } from './ui.jsx';

const fields = 'id url document createdAt deliveredAt failures nextAttemptAt lastStatus lastError disabledAt disabledReason';

export default function Webhooks() {
  const { data, error } = useQuery({ queryKey: ['webhooks'], queryFn: async () => (await api(`query ConsoleWebhooks { webhooks { ${fields} } }`)).webhooks, refetchInterval: 5_000 });
  const dead = data?.filter(({ disabledAt }) => disabledAt) ?? [];
  return (
    <>
      <h1>Webhooks</h1>
      <p className="help">Changes are delivered to each endpoint in their order. One that has failed for days is stopped; its changes wait in the log until they are too old.</p>
      {error && <Failure error={error} />}
      {data?.length === 0 && <p>There are no endpoints.</p>}
      {dead.length > 0 && <p className="error">{dead.length === 1 ? 'One endpoint is' : `${dead.length} endpoints are`} stopped.</p>}
      {data?.map((endpoint) => <Endpoint key={endpoint.id} endpoint={endpoint} />)}
    </>
  );
}

function Endpoint({ endpoint: e }) {
  const model = useModel();
  const may = (name) => model.rootFields('Mutation').some((field) => field.name === name);
  return (
    <section className="panel" aria-labelledby={e.id}>
      <h2 id={e.id}>{e.url}</h2>
      <dl>
        <div><dt>State</dt><dd>{e.disabledAt ? <span className="error">Stopped <Times at={e.disabledAt} />: {e.disabledReason}</span> : e.failures > 0 ? <span className="error">Failing, {e.failures} times</span> : 'Delivers'}</dd></div>
        <div><dt>Last delivery</dt><dd><Times at={e.deliveredAt} /></dd></div>
        {e.lastError && <div><dt>Last failure</dt><dd>{e.lastStatus ? `${e.lastStatus}: ` : ''}{e.lastError}</dd></div>}
        {e.nextAttemptAt && <div><dt>Next attempt</dt><dd><Times at={e.nextAttemptAt} /></dd></div>}
      </dl>
      <details><summary>Subscription</summary><pre tabIndex={0}>{e.document}</pre></details>
      <div className="row">
        {may('replayWebhook') && <Act endpoint={e} verb="Deliver again" name="replayWebhook" done="will be delivered to again">
          <p>All changes that are still in the log are delivered to it once more, and it is switched on.</p>
        </Act>}
        {may('deleteWebhook') && <Act endpoint={e} verb="Delete" name="deleteWebhook" danger done="is deleted">
          <p>What was not delivered to it will not be.</p>
        </Act>}
      </div>
    </section>
  );
}

// Act asks, and then carries out a mutation about an endpoint.
function Act({ endpoint, verb, name, danger, done, children }) {
  const [asked, setAsked] = useState(false);
  const [error, setError] = useState(null);
  const cache = useQueryClient();
  const status = useStatus();
  const act = async () => {
    setAsked(false);
    setError(null);
    try {
      await api(`mutation Console($id: ID!) { ${name}(id: $id) { __typename } }`, { id: endpoint.id });
      status(`${endpoint.url} ${done}.`);
    } catch (reason) {
      setError(reason);
    }
    cache.invalidateQueries({ queryKey: ['webhooks'] });
  };
  return (
    <>
      <button type="button" className={danger ? 'danger' : undefined} aria-label={`${verb}: ${endpoint.url}`} onClick={() => setAsked(true)}>{verb}</button>
      {error && <Failure error={error} />}
      {asked && <Confirm title={`${verb}: ${endpoint.url}?`} verb={verb} danger={danger} act={act} close={() => setAsked(false)}>{children}</Confirm>}
    </>
  );
}
