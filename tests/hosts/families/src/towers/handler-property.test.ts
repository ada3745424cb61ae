import { it, vi } from 'vitest';

import { comesBackUntilUnlinked } from '../testing/tower.js';
import { start } from './handler-property.js';

vi.mock('@whiskeysockets/baileys', () => import('../testing/fake-baileys.js'));

it('comes back until it is unlinked', () => comesBackUntilUnlinked(start));
