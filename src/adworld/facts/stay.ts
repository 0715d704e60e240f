/** What places to stay tell their guests. Texts only. */
import { factKind } from './kind.js';

export const sleeps = factKind(
  'sleeps',
  {
    say: [
      'It sleeps {value}.',
      'There are beds for {value}.',
      'The {item} sleeps {value}, with extra beds {other}.',
      '{name} has beds for {value}.',
      'Up to {value} can spend the night.',
      'There is space for {value} and with extra beds for {other}.',
    ],
    list: ['Sleeps {value}', 'Beds for {value}', 'Sleeps {value} (extra beds: {other})'],
    aside: ['With extra beds there is space for {other}.', 'With extra beds {other} can stay.'],
    ask: [
      'How many people does the {item} sleep?',
      'For how many are there beds?',
      'How many can stay without extra beds?',
      'How many guests can spend the night at {name}?',
    ],
    search: ['{item} how many beds', '{name} sleeps how many'],
    phrase: ['number of guests that {name} sleeps', 'number of normal beds'],
    order: ['Tell me how many the {item} sleeps'],
  },
  {
    say: [
      'We have beds for {value}.',
      'The {item} has beds for {value}.',
      'Without extra beds it sleeps {value}, with them {other}.',
      '{name} sleeps {value}.',
    ],
    list: ['Beds: for {value}', 'Space for {value}'],
    aside: ['It sleeps {other} with extra beds.'],
    ask: ['How many does the {item} sleep?', 'For how many guests does {name} have beds?'],
    search: ['beds {name}'],
    phrase: ['for how many there are beds'],
    order: ['Find the number of guests the {item} sleeps'],
  },
);

/** Own slots: `goal`, what the distance is to, and `rival`, the goal of the other distance. */
export const distance = factKind(
  'distance',
  {
    say: [
      'The {goal} is {value} away.',
      'The {goal} is {value} away and the {rival} {other}.',
      'You walk {value} to the {goal}.',
      'It lies {value} from the {goal}.',
      'From the door it is {value} to the {goal}, but {other} to the {rival}.',
      'Between us and the {goal} there are {value}.',
    ],
    list: ['{Goal}: {value}', '{value} to the {goal}', '{Goal} {value}, {rival} {other}'],
    aside: ['To the {rival} it is {other}.', 'The {rival} is {other} away.'],
    ask: [
      'How far is the {goal}?',
      'How far away is the {goal}?',
      'What is the distance to the {goal}?',
      'How far do I walk to the {goal}?',
    ],
    search: ['{name} distance {goal}', '{item} how far to {goal}'],
    phrase: ['distance to the {goal}', 'way from {name} to the {goal}'],
    order: ['Tell me how far the {goal} is'],
  },
  {
    say: [
      'The distance to the {goal} is {value}.',
      'It is {value} to the {goal} and {other} to the {rival}.',
      'The {goal} lies {value} from the door.',
    ],
    list: ['Distance to the {goal}: {value}', 'To the {goal} {value}'],
    aside: ['The distance to the {rival} is {other}.'],
    ask: ['How far is it from {name} to the {goal}?', 'How far is it to the {goal}?'],
    search: ['how far {goal} {item}'],
    phrase: ['how far away the {goal} is'],
    order: ['Find the distance to the {goal}'],
  },
);

export const checkIn = factKind(
  'checkin',
  {
    say: [
      'Check-in is from {value}.',
      'You can move in from {value}.',
      'Check-in is from {value}, check-out until {other}.',
      'Your room is ready from {value}.',
      'Arrive from {value} and leave by {other}.',
      'We welcome you from {value} on the day you arrive.',
    ],
    list: ['Check-in from {value}', 'Arrival from {value}', 'Check-in {value}, check-out {other}'],
    aside: ['Check-out is until {other}.', 'Please leave by {other} on your last day.'],
    ask: [
      'From what time can I check in?',
      'When is check-in?',
      'At what time can I arrive at {name}?',
      'From when is the room ready?',
    ],
    search: ['{name} check-in time', '{item} check-in from'],
    phrase: ['check-in time', 'earliest time to arrive'],
    order: ['Tell me when check-in is'],
  },
  {
    say: [
      'Your room is ready for you from {value}.',
      'The check-in time is from {value}.',
      'You may arrive from {value} and have to leave by {other}.',
      'From {value} you can check in.',
    ],
    list: ['Check-in time: {value}', 'You can arrive from {value}'],
    aside: ['The check-out time is {other}.'],
    ask: ['What is the check-in time?', 'When can I check in at {name}?'],
    search: ['check-in {name}'],
    phrase: ['the time from which I can check in'],
    order: ['Find the check-in time of {name}'],
  },
);

export const pets = factKind(
  'pets',
  {
    say: [
      'As for pets, {value} are allowed.',
      'Pets: {value} are welcome, {other} are not.',
      'You may bring {value}.',
      'We are happy to see {value} as animal guests.',
      'Among pets we accept {value} but not {other}.',
      'Do bring your pets, as long as they are {value}.',
    ],
    list: ['Pets allowed: {value}', 'Pets: {value}', 'Pets: {value}, but not {other}'],
    aside: ['Please leave {other} at home.', 'We do not accept {other}.'],
    ask: [
      'Which pets are allowed?',
      'What animals may I bring?',
      'Which pets does {name} accept?',
      'What pets are welcome?',
    ],
    search: ['{name} pets allowed', '{item} which pets'],
    phrase: ['pets that are allowed', 'animals welcome at {name}'],
    order: ['Tell me which pets are allowed'],
  },
  {
    say: [
      'You can bring {value} as pets.',
      'The pets we accept are {value}.',
      'We allow {value} as pets, while {other} stay at home.',
      'Of all pets {value} are welcome.',
    ],
    list: ['Pets we accept: {value}', 'Animals: {value}'],
    aside: ['As pets {other} are not allowed.'],
    ask: ['Which animals are allowed?', 'What pets may I bring to {name}?'],
    search: ['pets {item}'],
    phrase: ['the animals I may bring'],
    order: ['Find out which animals are welcome'],
  },
);

export const minimumStay = factKind(
  'minimum',
  {
    say: [
      'The minimum stay is {value}.',
      'You stay {value} at least.',
      'The minimum stay is {value}, in high season {other}.',
      'Please book {value} or more.',
      'In low season you book at least {value}, in high season {other}.',
      'Bookings are taken for at least {value}.',
    ],
    list: ['Minimum stay: {value}', 'At least {value}', 'Minimum {value}, high season {other}'],
    aside: ['In high season at least {other} are required.', 'In high season the minimum is {other}.'],
    ask: [
      'What is the minimum stay in low season?',
      'How long do I have to stay at least?',
      'How many nights is the normal minimum?',
      'What is the normal minimum stay?',
    ],
    search: ['{name} minimum stay', '{item} minimum nights'],
    phrase: ['normal minimum stay', 'smallest number of nights in low season'],
    order: ['Tell me the minimum stay'],
  },
  {
    say: [
      'You have to book at least {value}.',
      'The normal minimum is {value}, the one in high season {other}.',
      'A stay is for {value} at least.',
    ],
    list: ['Stay at least {value}', 'Normal minimum: {value}'],
    aside: ['The minimum stay in high season is {other}.'],
    ask: ['How many nights do I have to book at least?', 'What is the minimum stay?'],
    search: ['minimum stay {item}'],
    phrase: ['the minimum number of nights'],
    order: ['Find the normal minimum stay'],
  },
);

export const cancellation = factKind(
  'cancellation',
  {
    say: [
      'You can cancel free of charge up to {value} before arrival.',
      'Free cancellation is possible until {value} before, for groups {other}.',
      'Cancel at no cost no later than {value} before you come.',
      'Up to {value} before the day, cancellation is free.',
      'Single guests can cancel free up to {value} before, groups up to {other}.',
      'Plans change: cancel free up to {value} before arrival.',
    ],
    list: [
      'Free cancellation: up to {value} before',
      'Cancel free {value} before',
      'Cancellation {value} before, groups {other}',
    ],
    aside: ['Groups have to cancel {other} before.', 'For groups the time to cancel is {other} before.'],
    ask: [
      'How long before arrival can I cancel for free?',
      'Until when is cancellation free for a single guest?',
      'How late can I cancel free of charge?',
      'What is the time limit for free cancellation?',
    ],
    search: ['{name} free cancellation', '{item} cancel free until'],
    phrase: ['time limit for free cancellation', 'free cancellation for single guests'],
    order: ['Tell me how late I can cancel for free'],
  },
  {
    say: [
      'Cancellation is free up to {value} before arrival.',
      'Groups cancel free up to {other} before, single guests up to {value}.',
      'No later than {value} before you can cancel for free.',
    ],
    list: ['Cancellation free up to {value} before', 'Free to cancel {value} before'],
    aside: ['Groups can cancel free up to {other} before.'],
    ask: ['How late is cancellation free?', 'Up to when can I cancel free of charge?'],
    search: ['free cancellation {item}'],
    phrase: ['how long before I can cancel free'],
    order: ['Find the limit for free cancellation'],
  },
);

export const host = factKind(
  'host',
  {
    say: [
      'Your host is {value}.',
      '{value} welcomes you and {other} makes the rooms.',
      'The host, {value}, lives next door.',
      'You will be welcomed by {value}.',
      'Your hosts used to be the family of {other}, now it is {value}.',
      '{value} hands you the keys.',
    ],
    list: ['Host: {value}', 'Your host {value}', 'Host {value}, rooms {other}'],
    aside: ['The rooms are looked after by {other}.', 'For the rooms ask {other}.'],
    ask: ['Who is the host?', 'Who welcomes me at {name}?', 'What is the name of the host?', 'Who hands me the keys?'],
    search: ['{name} host', '{item} host name'],
    phrase: ['host of the {item}', 'person who welcomes guests at {name}'],
    order: ['Name the host of {name}'],
  },
  {
    say: [
      'Say hello to your host, {value}.',
      'The host of the {item} is {value}.',
      '{value} is your host, while {other} looks after the rooms.',
      'The keys are with {value}, your host.',
    ],
    list: ['The host is {value}', 'Welcomed by {value}'],
    aside: ['{other} looks after the rooms.'],
    ask: ['Who is the host of {name}?', 'By whom are guests welcomed?'],
    search: ['who is host {name}'],
    phrase: ['the name of the host'],
    order: ['Tell me who the host is'],
  },
);
