// The dial is in a package.
import session from 'wa-session';

import start from './odd.cjs';

session(start);
