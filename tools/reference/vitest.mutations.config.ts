/** Tests of a copy that is built already, for mutate.ts: settings that come with each run are not repeated here. */
import base from '../../vitest.config.js';

const { globalSetup: _build, env: _env, ...test } = base.test ?? {};

export default { ...base, test };
