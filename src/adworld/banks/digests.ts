/**
 * The texts that AdWorld's version (../version.ts) is made of: the SHA-256 of each file of `data/adworld`, with line feeds as line ends and without a byte
 * order mark. Written by tools/adworld/digests.ts.
 */
export const ADWORLD_DIGESTS: Readonly<Record<string, string>> = {
  'facts/event.md': '4d73a215d84563f3dea714bb8579dfc9913e3a52097da8c152aacc899a0fd8f9',
  'facts/money.md': '02de54e73e5575307ef0ac30a2a67a0eb21e1af875cba315c6f61856a948d431',
  'facts/product.md': '6ab80e48dba48d0ec7fcead8627e2a39b7d67e450d90dfe313a1b15db753b329',
  'facts/service.md': '3d1c666a8e69d7af592638e787bca5db5dfa2a67c1d5c9b0e2dd7acff5f28708',
  'facts/shop.md': '29159b656b6cbd79ca182c03fe64480c151991a906c631213bd40ac321ba0f00',
  'facts/stay.md': '3d31d855c16aea55b6d8df057ba2bce5d97f2f38b9caacc77316a4f3d4fc285a',
  'facts/technical.md': '1300c92306cf006a60d5794cc38e8f507ec58e92cc8f61e66aeccb061c637299',
  'frames.md': 'b1cb5b83e5c8c4bf1692fd270c05090d93416d0dc126002f00861e4abcb8141d',
  'items/cars.md': '0df62af5f0c734d6a668121d09a8ee419d5868a32ab48f77cf52c0db2bf43d31',
  'items/events.md': '1de9f0267d3ee82ff6f796f026393adb07daac5bb8b2c90867f38373f62f1314',
  'items/goods.md': '191bf086d866b9639ab2b4287903c36ceabd4bb70262ad827cff140e2d6bf38d',
  'items/leisure.md': 'a9d97f3cc9b997ef1f625c318e4a6e38d1695c94ba98c613ea220f911c8a6fc4',
  'items/services.md': 'b14a45c031dcde9cb107a6ddedae00fc6074928cdb20613b625456f04f6c8cc9',
  'items/shops.md': '7ac6b533a57de698763088a143673c986c7b0e04daab53b96b59007ffb678731',
  'items/stays.md': '0456e7d563fe7be57cc1933b90685952b14d4adc1fa1dcc321844f26788d792e',
  'names.md': '0bcf0eba9ae75397db9fc5a010d71f97cbce07e939718dac7143772dd2b01d0f',
  'queries.md': '161d0a1bb22026c9280b263b86aa7b9b0ed38bdcd344ca1ca65dc609c6d8e17b',
  'values.md': '8813e6b2201be0718939c74666239d13549646a4b0928ca52584fea1658a4bc3',
};
