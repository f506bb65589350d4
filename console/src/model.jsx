// What all views share: the model of the schema, and a place for short messages.
import { createContext, useContext } from 'react';

export const ModelContext = createContext(null);
export const useModel = () => useContext(ModelContext);

// RowContext has the row that a form is about: { entity, id }, or null for a new one.
export const RowContext = createContext(null);

export const StatusContext = createContext(() => {});
// useStatus returns a function that shows, and reads aloud, a short message.
export const useStatus = () => useContext(StatusContext);
