// All of them in one process: loading the client takes longer than the tests do.
import './cache.test.mjs';
import './errors.test.mjs';
import './http.test.mjs';
import './pagination.test.mjs';
import './positions.test.mjs';
import './session.test.mjs';
import './trusted.test.mjs';
