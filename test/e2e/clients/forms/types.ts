// Compiled only: the types of forge-errors fit those of React Hook Form.
import type { UseFormReturn } from 'react-hook-form';
import { type ErrorCode, formErrors, setFormErrors } from 'forge-errors';

export function show(form: UseFormReturn<{ name: string; tracks: { name: string }[] }>, failure: unknown): ErrorCode | undefined {
  const errors = formErrors(failure, { argument: 'input' });
  setFormErrors(form.setError, errors);
  const first: string | undefined = errors.fields['tracks.0.name']?.[0];
  const version: number | undefined = errors.conflict?.version;
  return first || version ? errors.code : 'INTERNAL';
}
