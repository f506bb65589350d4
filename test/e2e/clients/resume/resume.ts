// Goes on with a subscription after its connection was lost, with the cursor of the last message.
// For subscriptions alone: an operation is sent again after a failure.

export type Request = { query: string; variables?: object | null; extensions?: object | null };
export type Sink = { next(result: any): void; error(reason: any): void; complete(): void };
type Subscribe = (request: any, sink: Sink) => () => void;

// These close codes are faults of the program, which are there the next time, too.
const final = [4400, 4401, 4406, 4409, 4429];

// resuming takes the function subscribe of a client of graphql-ws or graphql-sse.
export function resuming(subscribe: Subscribe) {
  return (request: Request, sink: Sink) => {
    let after: string | undefined;
    let failures = 0;
    let timer: ReturnType<typeof setTimeout>;
    let stop = () => {};
    function start() {
      const extensions = { ...request.extensions, ...(after && { after }) };
      const all = { next, error, complete: () => sink.complete() };
      stop = subscribe({ ...request, extensions }, all);
    }
    function next(result: any) {
      sink.next(result);
      failures = 0;
      after = result.extensions?.cursor ?? after;
    }
    function error(reason: any) {
      const codes = Array.isArray(reason) ? reason.map((e) => e.extensions?.code) : [];
      if (final.includes(reason?.code) || codes.some((code) => code !== 'UNAVAILABLE')) {
        return sink.error(reason);
      }
      const pause = Math.min(30_000, 250 * 2 ** failures++);
      timer = setTimeout(start, pause * (0.5 + Math.random())); // not all at once
    }
    start();
    return () => (clearTimeout(timer), stop());
  };
}
