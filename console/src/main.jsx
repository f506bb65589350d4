import './style.css';
import './views.css';

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';
import { ApiError } from './api.js';
import { App } from './app.jsx';

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      networkMode: 'always', // the server may be this machine
      retry: (count, error) => count < 2 && !(error instanceof ApiError),
    },
  },
});

createRoot(document.getElementById('root')).render(
  <QueryClientProvider client={client}>
    <App />
  </QueryClientProvider>,
);
