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

// keep keeps a copy as the server has it. If there is no way from the last cursor to now, it reads
// everything anew, and again if that fails. It returns a function that ends it.
export function keep({ read, subscribe, request, apply, failed }: Source) {
  let [stop, ended] = [() => {}, false];
  async function begin(): Promise<void> {
    stop();
    try {
      const after = await read();
      stop = ended ? stop : subscribe(request(after), { next, error: failed, complete() {} });
    } catch (reason) {
      failed(reason);
      setTimeout(() => ended || begin(), 1000 * (1 + Math.random()));
    }
  }
  function next({ data, errors }: any) {
    const lost = errors?.some((e: any) => e.extensions.code.startsWith('CURSOR_'));
    if (errors && !lost) {
      failed(errors);
    } else if (lost || !apply(data)) {
      begin();
    }
  }
  begin();
  return () => ((ended = true), stop());
}
