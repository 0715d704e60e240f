/** What things cost: prices, fees, discounts and codes. Texts only. */
import { factKind } from './kind.js';

export const price = factKind(
  'price',
  {
    say: [
      'The {thing} costs {value}.',
      'You pay {value} for the {thing}.',
      'The price of the {thing} is {value}, reduced from {other}.',
      'Now only {value} for the {thing} instead of {other}.',
      'Get the {thing} for {value} (was {other}).',
      'Our price for the {thing} is {value}.',
      'At {value} the {thing} is good value; it used to cost {other}.',
      'Until recently the {thing} sold for {other}, today it is yours for {value}.',
      'We ask {value} for the {thing}.',
      'The {thing} is on offer at {value}.',
    ],
    list: ['Price: {value}', 'Price {value}, before {other}', 'Only {value}', '{Thing}: {value} (old price {other})'],
    aside: [
      'The old price was {other}.',
      'Last season the {thing} still cost {other}.',
      'Elsewhere the {thing} costs {other}.',
    ],
    ask: [
      'How much does the {thing} cost?',
      'What is the price of the {thing}?',
      'How much do I have to pay for the {thing}?',
      'What does the {thing} cost now?',
      'How expensive is the {thing} today?',
    ],
    search: ['{thing} price', 'cost {thing}', '{name} current price'],
    phrase: ['current price of the {thing}', 'the cost of the {thing}'],
    order: ['Tell me the price of the {thing}', 'Find out what the {thing} costs'],
  },
  {
    say: [
      'All it takes to make the {thing} yours is {value}.',
      'The price was {other} and is now {value} for the {thing}.',
      'We sell the {thing} at a price of {value}.',
      'The {thing} is now priced at {value}, while it cost {other} before.',
      'You can have the {thing} for {value}.',
      'Today the price for the {thing} is {value}; the earlier price was {other}.',
    ],
    list: ['Cost: {value}', 'Now {value}, earlier {other}'],
    aside: ['Before the sale the price was {other}.'],
    ask: ['How much is the {thing}?', 'What do I pay for the {thing} now?'],
    search: ['how much {thing}'],
    phrase: ['price for the {thing} today'],
    order: ['Show me what I pay for the {thing}'],
  },
);

export const hourlyRate = factKind(
  'rate',
  {
    say: [
      'We charge {value} per hour.',
      'An hour of our work costs {value}.',
      'Our hourly rate is {value}, last year it was {other}.',
      'You pay {value} for each hour of work.',
      'Every hour is billed at {value} instead of the former {other}.',
      'Working time is charged at {value} an hour.',
    ],
    list: ['Hourly rate: {value}', '{value} per hour', 'Rate per hour {value}, formerly {other}'],
    aside: ['Last year an hour still cost {other}.', 'The former hourly rate was {other}.'],
    ask: [
      'What is the hourly rate?',
      'How much does an hour of work cost?',
      'How much does {name} charge per hour?',
      'What do I pay for each hour?',
    ],
    search: ['hourly rate {item}', '{name} price per hour'],
    phrase: ['current rate per hour', 'the cost of an hour of work'],
    order: ['Tell me the hourly rate'],
  },
  {
    say: [
      'For each hour you pay us {value}.',
      'Our work is billed at {value} an hour.',
      'An hour with us costs {value}.',
      'The rate is {value} per hour now, after {other} last year.',
      'Per hour we bill {value}.',
    ],
    list: ['Per hour: {value}', 'An hour of work {value}'],
    aside: ['Before, an hour of work cost {other}.'],
    ask: ['How much is one hour of work?', 'What does {name} bill per hour?'],
    search: ['{item} cost per hour'],
    phrase: ['the hourly rate of {name}'],
    order: ['Give me the rate for an hour of work'],
  },
);

export const nightlyPrice = factKind(
  'nightly',
  {
    say: [
      'A night costs {value}.',
      'The {item} costs {value} per night.',
      'You pay {value} for one night, last summer it was {other}.',
      'One night is {value} instead of {other}.',
      'We ask {value} a night.',
      'Stay here for {value} per night.',
    ],
    list: ['Per night: {value}', '{value} a night', 'Night {value}, last summer {other}'],
    aside: ['Last summer a night still cost {other}.', 'The former price per night was {other}.'],
    ask: [
      'How much does a night cost?',
      'What is the price per night?',
      'What do I pay for one night?',
      'How much does the {item} cost a night now?',
    ],
    search: ['price per night {item}', '{name} cost a night'],
    phrase: ['current price of a night', 'the price for one night at {name}'],
    order: ['Tell me the price per night'],
  },
  {
    say: [
      'Here a night is {value}.',
      'You can stay the night for {value}.',
      'The price is {value} per night.',
      'For a night you pay {value}, before it was {other}.',
      'Each night costs {value}.',
    ],
    list: ['Price per night: {value}', 'One night {value}'],
    aside: ['Before, one night cost {other}.'],
    ask: ['How much is one night?', 'What does a night at {name} cost?'],
    search: ['{item} one night price'],
    phrase: ['the cost of a night'],
    order: ['Find the price of one night'],
  },
);

export const shipping = factKind(
  'shipping',
  {
    say: [
      'Standard shipping costs {value}, express shipping {other}.',
      'Standard shipping is {value}.',
      'We ship for {value}, or for {other} by express.',
      'For standard shipping we add {value}.',
      'Add {value} for standard shipping.',
      'The fee for standard shipping is {value}.',
    ],
    list: ['Standard shipping: {value}', 'Shipping {value}, express {other}', 'Plus {value} shipping'],
    aside: ['Express shipping costs {other}.', 'With express shipping you pay {other} instead.'],
    ask: [
      'How much is standard shipping?',
      'What does standard shipping cost?',
      'What is the fee for standard shipping?',
      'How much does it cost to ship the {item} the standard way?',
    ],
    search: ['standard shipping cost {item}', '{name} shipping fee standard'],
    phrase: ['cost of standard shipping', 'fee for standard shipping of the {item}'],
    order: ['Tell me the standard shipping fee'],
  },
  {
    say: [
      'We send it by standard shipping for {value}.',
      'It ships for {value}, by express for {other}.',
      'The standard shipping fee is {value}.',
      'Shipping is {value} the standard way and {other} by express.',
      'You pay {value} for standard shipping.',
    ],
    list: ['Shipping fee (standard): {value}', 'Standard shipping fee {value}'],
    aside: ['By express the shipping fee is {other}.'],
    ask: ['What do I pay for standard shipping?', 'How high is the standard shipping fee?'],
    search: ['{item} standard shipping price'],
    phrase: ['the standard shipping fee'],
    order: ['Find the cost of standard shipping'],
  },
);

export const calloutFee = factKind(
  'callout',
  {
    say: [
      'By day the call-out fee is {value}.',
      'The call-out fee is {value} by day and {other} at night.',
      'Coming to you costs {value} by day.',
      'We charge a daytime call-out fee of {value}.',
      'For coming out we charge {value} during the day, {other} at night.',
      'During the day our trip to you costs {value}.',
    ],
    list: ['Call-out fee by day: {value}', 'Call-out {value} (day), {other} (night)', 'Daytime call-out {value}'],
    aside: ['At night the call-out fee is {other}.', 'After dark we charge {other} for coming out.'],
    ask: [
      'How much is the call-out fee by day?',
      'What does {name} charge for coming out during the day?',
      'What is the daytime call-out fee?',
      'How high is the call-out fee during the day?',
    ],
    search: ['call-out fee day', '{name} daytime call-out cost'],
    phrase: ['call-out fee during the day', 'the fee for coming out by day'],
    order: ['Tell me the daytime call-out fee'],
  },
  {
    say: [
      'By day you pay {value} for our trip to you.',
      'Our daytime call-out fee is {value}.',
      'We come out for {value} by day, for {other} at night.',
      'The call-out costs {value} during the day.',
    ],
    list: ['Call-out by day {value}', 'Daytime fee for coming out: {value}'],
    aside: ['Coming out at night costs {other}.'],
    ask: ['What does the call-out cost by day?', 'How much is the daytime call-out?'],
    search: ['{item} call-out fee daytime'],
    phrase: ['the daytime fee for coming out'],
    order: ['Find the call-out fee by day'],
  },
);

export const deposit = factKind(
  'deposit',
  {
    say: [
      'We ask for a deposit of {value}.',
      'The deposit is {value}.',
      'A deposit of {value} secures your place.',
      'To book you pay a deposit of {value}, groups pay {other}.',
      'Your booking is firm with a deposit of {value}; for groups it is {other}.',
      'When you book, a deposit of {value} is due.',
    ],
    list: ['Deposit: {value}', 'Deposit {value} (groups {other})'],
    aside: ['Groups pay a deposit of {other}.', 'For groups the deposit is {other}.'],
    ask: [
      'How much is the deposit?',
      'What deposit do I have to pay for one booking?',
      'How high is the normal deposit?',
      'What deposit does {name} ask for?',
    ],
    search: ['{item} deposit', '{name} deposit amount'],
    phrase: ['amount of the deposit', 'the deposit for a booking'],
    order: ['Tell me how high the deposit is'],
  },
  {
    say: [
      'Please pay a deposit of {value} when you book.',
      'There is a deposit of {value}, or {other} for groups.',
      'The deposit for your booking is {value}.',
    ],
    list: ['Deposit due {value}', 'Booking deposit: {value}'],
    aside: ['A group pays {other} as deposit.'],
    ask: ['What is the deposit?', 'How much deposit is due when I book?'],
    search: ['deposit for booking {item}'],
    phrase: ['the deposit at {name}'],
    order: ['Find the amount of the deposit'],
  },
);

/** Own slots: `group`, who gets the discount, and `rival`, who gets the other one. */
export const discount = factKind(
  'discount',
  {
    say: [
      '{Group} get {value} off.',
      '{Group} get {value} off, {rival} {other}.',
      'There is a discount of {value} for {group}.',
      'For {group} we take {value} off the price.',
      'We give {group} a discount of {value} and {rival} one of {other}.',
      '{Group} save {value}.',
    ],
    list: ['{value} off for {group}', 'Discount for {group}: {value}', '{Group} {value} off, {rival} {other}'],
    aside: ['{Rival} get {other} off.', 'The discount for {rival} is {other}.'],
    ask: [
      'How much discount do {group} get?',
      'What is the discount for {group}?',
      'How much do {group} save?',
      'How big is the price cut for {group}?',
    ],
    search: ['discount {group}', '{name} {group} discount'],
    phrase: ['discount for {group}', 'the price cut for {group}'],
    order: ['Tell me the discount for {group}'],
  },
  {
    say: [
      'There is {value} off for {group} and {other} off for {rival}.',
      'If you belong to the {group}, you save {value}.',
      'A discount of {value} is for {group}.',
      '{Group} pay {value} less, {rival} {other} less.',
      'We take {value} off for {group}.',
    ],
    list: ['{Group}: {value} off', '{value} discount for {group}'],
    aside: ['{Rival} pay {other} less.'],
    ask: ['What discount do {group} get?', 'How much less do {group} pay?'],
    search: ['{group} price discount'],
    phrase: ['how much {group} save'],
    order: ['Find the discount that {group} get'],
  },
);

export const code = factKind(
  'code',
  {
    say: [
      'Use the code {value} for a discount.',
      'The discount code {value} is valid this month, {other} has expired.',
      'Enter {value} at checkout to save.',
      'With the code {value} it gets cheaper.',
      'Our current discount code is {value}.',
      'Do not forget the code {value} when you order; {other} no longer works.',
      'Save a little more with the voucher code {value}.',
    ],
    list: ['Code: {value}', 'Discount code {value}', 'Valid code {value} (not {other})'],
    aside: ['The old code {other} has expired.', 'Please note that {other} no longer works.'],
    ask: [
      'Which discount code is valid?',
      'What code do I enter at checkout?',
      'Which code gives me a discount?',
      'What is the current discount code?',
    ],
    search: ['{name} discount code', 'valid code {item}'],
    phrase: ['current discount code', 'voucher code that works now'],
    order: ['Give me the valid discount code', 'Find a code for {name}'],
  },
  {
    say: [
      'At checkout the code {value} gives you a discount.',
      'Save with {value}, our current code.',
      'You save with the discount code {value}.',
      'Enter the code {value}, since {other} is no longer valid.',
      'The code that works now is {value}.',
    ],
    list: ['Voucher code: {value}', 'Code for a discount {value}'],
    aside: ['The code {other} is no longer valid.'],
    ask: ['Which code works now?', 'What discount code can I use?'],
    search: ['voucher code {name}'],
    phrase: ['the code to enter at checkout'],
    order: ['Tell me which discount code works'],
  },
);
