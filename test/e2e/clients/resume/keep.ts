import type { Request, Sink } from './resume.js';

// Source says where a copy comes from.
export type Source = {
  // read reads everything, and returns the changeCursor of the same query.
  read(): Promise<string>;
  // subscribe is one of the functions of the other files. request asks for changes after a cursor.
  subscribe(request: Request, sink: Sink): () => void;
  request(after: string): Request;
  // apply takes in the changes of one message. It returns false if everything has to be read anew,
  // because there was a change of the kind MANY.
  apply(data: any): boolean;
  failed(reason: unknown): void;
};

// keep keeps a copy as the server has it. It reads everything anew when there is no way from the
// last cursor to now: CURSOR_EXPIRED, CURSOR_LOST. It returns a function that ends it.
export function keep({ read, subscribe, request, apply, failed }: Source) {
  let ended = false;
  let stop = () => {};
  async function begin(): Promise<void> {
    stop();
    const after = await read();
    if (!ended) {
      stop = subscribe(request(after), { next, error: failed, complete: () => {} });
    }
  }
  function next({ data, errors }: any) {
    if (errors?.some((e: any) => e.extensions.code.startsWith('CURSOR_'))) {
      begin().catch(failed);
    } else if (errors) {
      failed(errors);
    } else if (!apply(data)) {
      begin().catch(failed);
    }
  }
  begin().catch(failed);
  return () => ((ended = true), stop());
}
