// Small parts that several views use.
import { Component, useEffect, useId, useRef } from 'react';

// Dialog is a window above the page. Escape, or a click on its close button, closes it.
export function Dialog({ title, close, children }) {
  const dialog = useRef(null);
  const id = useId();
  useEffect(() => {
    dialog.current.showModal();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={close} onCancel={close}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

// Confirm asks before something is done.
export function Confirm({ title, children, verb, danger, act, close }) {
  return (
    <Dialog title={title} close={close}>
      {children}
      <div className="row">
        <button type="button" className={danger ? 'danger' : 'primary'} onClick={act}>{verb}</button>
        <button type="button" onClick={close}>Cancel</button>
      </div>
    </Dialog>
  );
}

// Boundary shows a sentence where a view has failed. The rest of the page goes on.
export class Boundary extends Component {
  state = { error: null };

  static getDerivedStateFromError(error) {
    return { error };
  }

  render() {
    const { error } = this.state;
    return error ? <><h1>This cannot be shown</h1><Failure error={error} /><p><a href="#/">To the beginning</a></p></> : this.props.children;
  }
}

// Loading stands where a view will be. title is its heading until then, if the view has none yet.
export function Loading({ title }) {
  return <>{title && <h1>{title}</h1>}<p role="status">Loading…</p></>;
}

export function Failure({ error }) {
  return <p className="error" role="alert">{error.message}</p>;
}
