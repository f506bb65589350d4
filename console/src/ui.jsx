// Small parts that several views use.
import { useEffect, useId, useRef } from 'react';

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

export function Failure({ error }) {
  return <p className="error" role="alert">{error.message}</p>;
}
