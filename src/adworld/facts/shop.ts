/** What shops and restaurants say about themselves: where, when, who, what. Texts only. */
import { factKind } from './kind.js';

export const place = factKind(
  'place',
  {
    say: [
      'You find us at {value}.',
      'We moved from {other} to {value}.',
      'Our address is {value}.',
      'Come and see us at {value}.',
      '{name} is at {value}.',
      'The door at {value} is open to all.',
      'We are no longer at {other} but at {value}.',
      'Visit the {item} at {value}.',
    ],
    list: ['Address: {value}', 'At {value}', 'Address: {value} (formerly {other})'],
    aside: ['Our former address was {other}.', 'We have left {other} for good.'],
    ask: [
      'Where is the {item}?',
      'Where do I find {name}?',
      'At which address is the {item} now?',
      'What is the address of {name}?',
      'On which street is the {item}?',
    ],
    search: ['{name} address', '{item} address'],
    phrase: ['address of the {item}', 'current address of {name}'],
    order: ['Show me the way to {name}', 'Tell me the address of the {item}'],
  },
  {
    say: [
      '{name} has its door at {value}.',
      'Come by at {value}, no longer at {other}.',
      'The address of the {item} is {value}.',
      'We have moved: from {other} to {value}.',
      'Find the {item} at {value}.',
    ],
    list: ['Our address: {value}', 'Find us at {value}'],
    aside: ['The {item} was formerly at {other}.'],
    ask: ['What is the address of the {item}?', 'Where can I find the {item}?'],
    search: ['where is {name}'],
    phrase: ['the street and number of {name}'],
    order: ['Find the address of {name}'],
  },
);

export const phone = factKind(
  'phone',
  {
    say: [
      'Call us at {value}.',
      'Our phone number is {value}, the fax number {other}.',
      'You reach us by phone at {value}.',
      'For questions please call {value}.',
      'Just ring {value}.',
      'Phone {value} or send a fax to {other}.',
      'Our telephone is answered all day: {value}.',
    ],
    list: ['Phone: {value}', 'Call {value}', 'Phone {value}, fax {other}'],
    aside: ['Our fax number is {other}.', 'Faxes go to {other}.'],
    ask: [
      'What is the phone number?',
      'Which number do I call?',
      'How can I reach {name} by phone?',
      'What is the phone number of the {item}?',
    ],
    search: ['{name} phone number', '{item} phone'],
    phrase: ['phone number of the {item}', 'number to call {name}'],
    order: ['Give me the phone number of {name}', 'Tell me which number to call'],
  },
  {
    say: [
      'Do you have questions? The number to call is {value}.',
      'Call {value} or send your fax to {other}.',
      'The phone number of the {item} is {value}.',
      'Our phone is {value} and our fax {other}.',
      'By phone you reach us at {value}.',
    ],
    list: ['Phone number: {value}', 'Ring {value}'],
    aside: ['The number for faxes is {other}.'],
    ask: ['At what number can I call the {item}?', 'What number do I ring to reach {name}?'],
    search: ['phone {name}'],
    phrase: ['the phone number to call'],
    order: ['Find the phone number of the {item}'],
  },
);

export const website = factKind(
  'website',
  {
    say: [
      'Our website is {value}.',
      'Find out more at {value}.',
      'Visit us online at {value}.',
      'More on the web: {value}.',
      'Our new website is {value}, {other} has been closed.',
      'Order or book online at {value} instead of {other}.',
    ],
    list: ['Web: {value}', 'Online at {value}', 'Website {value}'],
    aside: ['The old page {other} has been closed.', 'Please no longer use {other}.'],
    ask: [
      'What is the website?',
      'Which website has more about it?',
      'Where can I book or order online?',
      'What is the web address of {name}?',
    ],
    search: ['{name} website', '{item} website'],
    phrase: ['current web address', 'website of {name}'],
    order: ['Give me the website of {name}'],
  },
  {
    say: [
      'Take a look at {value} on the web.',
      'Everything else can be found online at {value}.',
      'The website of the {item} is {value}.',
      'Our web address is {value}, no longer {other}.',
      'Book or find out more online: {value}.',
    ],
    list: ['Website: {value}', 'Web address {value}'],
    aside: ['The web address {other} has been closed.'],
    ask: ['What is the web address?', 'Where do I find {name} online?'],
    search: ['web address {name}'],
    phrase: ['the website to visit'],
    order: ['Find the web address of the {item}'],
  },
);

export const hours = factKind(
  'hours',
  {
    say: [
      'On weekdays we are open {value}.',
      'From Monday to Friday we open {value}, on Sundays {other}.',
      'Our weekday hours are {value}.',
      'You can come by on weekdays {value}.',
      'On weekdays the {item} is open {value}.',
      'Opening hours are {value} on weekdays and {other} on Sundays.',
      'Monday to Friday our doors are open {value}.',
    ],
    list: ['Mon to Fri {value}', 'Weekdays: {value}', 'Open {value} on weekdays, {other} on Sundays'],
    aside: ['On Sundays we open {other}.', 'Sundays are different: {other}.'],
    ask: [
      'When is the {item} open on weekdays?',
      'What are the weekday opening hours?',
      'When can I go to {name} on weekdays?',
      'What hours is {name} open from Monday to Friday?',
      'When does the {item} open and close on a weekday?',
    ],
    search: ['{name} weekday hours', '{item} opening hours weekdays', 'opening hours {name} Monday to Friday'],
    phrase: ['weekday opening hours of {name}', 'opening hours from Monday to Friday'],
    order: ['Tell me the weekday opening hours'],
  },
  {
    say: [
      'Come on weekdays {value}.',
      'Our weekday doors open {value}, on Sundays {other}.',
      'The {item} is open {value} on weekdays.',
      'Our opening hours from Monday to Friday are {value}, on Sundays {other}.',
      'Weekdays you can visit us {value}.',
    ],
    list: ['Open Monday to Friday: {value}', 'Weekday hours {value}'],
    aside: ['Our Sunday hours are {other}.'],
    ask: ['What are the opening hours on weekdays?', 'When is {name} open from Monday to Friday?'],
    search: ['weekdays open {name}'],
    phrase: ['the opening hours on weekdays'],
    order: ['Find the weekday hours of {name}'],
  },
);

export const saturday = factKind(
  'saturday',
  {
    say: [
      'On Saturdays we are open {value}.',
      'Our Saturday hours are {value}.',
      'Saturdays you are welcome {value}.',
      'On Saturdays the {item} opens {value}.',
      'On a Saturday you can come {value}.',
      'Saturdays our doors are open {value}.',
    ],
    list: ['Saturday: {value}', 'Sat {value}', 'Saturdays {value}'],
    aside: [],
    ask: [
      'When is the {item} open on Saturdays?',
      'What are the Saturday hours?',
      'When can I visit {name} on a Saturday?',
      'What hours does {name} keep on Saturdays?',
    ],
    search: ['{name} Saturday hours', '{item} open Saturday'],
    phrase: ['opening hours on Saturdays', 'Saturday hours of {name}'],
    order: ['Tell me the Saturday hours'],
  },
  {
    say: [
      'Saturdays we open {value}.',
      'You can also come on Saturdays {value}.',
      'The {item} is open {value} on Saturdays.',
      'The hours on Saturdays are {value}.',
      'On Saturdays you can visit us {value}.',
    ],
    list: ['Saturday hours {value}', 'Open Saturdays: {value}'],
    aside: [],
    ask: ['What are the opening hours on Saturdays?', 'When does {name} open on a Saturday?'],
    search: ['Saturday {name} open'],
    phrase: ['the Saturday opening hours'],
    order: ['Find the Saturday opening hours'],
  },
);

/** Own slot: `month`, when another day is the day of rest. */
export const closed = factKind(
  'closed',
  {
    say: [
      'We are closed on {value}.',
      'Closed on {value}, in August also on {other}.',
      'On {value} we take a rest.',
      'The {item} stays shut on {value}.',
      'Please note that we do not open on {value}.',
      'On {value} our doors are closed; in August on {other} as well.',
    ],
    list: ['Closed on {value}', 'Closed: {value}', 'Closed {value}, in August {other} too'],
    aside: ['In August we also close on {other}.', 'In August there is no service on {other} either.'],
    ask: [
      'On which day is the {item} closed all year?',
      'When is {name} closed every week?',
      'What is the weekly day of rest?',
      'Which day of the week is the {item} always shut?',
    ],
    search: ['{name} closed day', '{item} weekly closing day'],
    phrase: ['weekly day of rest', 'day on which the {item} is always closed'],
    order: ['Tell me the weekly closing day'],
  },
  {
    say: [
      'On {value} the {item} is closed.',
      'Our day of rest is on {value}, in August we close on {other} too.',
      'Every week we are closed on {value}.',
    ],
    list: ['Day of rest: on {value}', 'Shut on {value}'],
    aside: ['On {other} we close in August only.'],
    ask: ['On what day is {name} closed every week?', 'Which day of rest does the {item} have?'],
    search: ['day of rest {name}'],
    phrase: ['the day when {name} is always closed'],
    order: ['Find the day of rest of the {item}'],
  },
);

export const specialty = factKind(
  'specialty',
  {
    say: [
      'Our specialty is {value}.',
      'We are known for {value}.',
      'People come from far away for our {value}.',
      'Do try our {value}, which has replaced {other}.',
      'The favorite here is {value}, no longer {other}.',
      'You will find no better {value} anywhere.',
      'The house is famous for {value}.',
    ],
    list: ['Specialty: {value}', 'Known for {value}', 'Specialty {value}, formerly {other}'],
    aside: ['Last year people came for {other}.', 'Sadly there is no more {other}.'],
    ask: [
      'What is the {item} known for?',
      'What is the specialty of the house?',
      'What specialty should I try at {name} now?',
      'What do people like best there?',
    ],
    search: ['{name} specialty', '{item} specialty'],
    phrase: ['specialty of the {item}', 'thing {name} is known for'],
    order: ['Tell me the specialty of {name}'],
  },
  {
    say: [
      'Most people come for {value}.',
      'Come and try our famous {value}.',
      'The specialty of the {item} is {value}.',
      'People like our {value} best, as they once liked {other}.',
      'Try {value}, our specialty.',
    ],
    list: ['House specialty: {value}', 'Famous for {value}'],
    aside: ['Our specialty was {other} last year.'],
    ask: ['What is {name} famous for?', 'Which specialty does the {item} have?'],
    search: ['specialty of {name}'],
    phrase: ['what people like best at {name}'],
    order: ['Name the specialty of the {item}'],
  },
);

export const founded = factKind(
  'founded',
  {
    say: [
      'We have been here since {value}.',
      'The {item} was founded in {value} and rebuilt in {other}.',
      'Founded in {value}, we still love our work.',
      'Our story began in {value}.',
      'The family opened the {item} in {value}; the new rooms date from {other}.',
      'It all started in {value}.',
    ],
    list: ['Since {value}', 'Founded: {value}', 'Founded {value}, rebuilt {other}'],
    aside: ['The new rooms date from {other}.', 'We rebuilt everything in {other}.'],
    ask: [
      'When was the {item} founded?',
      'Since when has {name} existed?',
      'In which year did it all start?',
      'How long has the {item} been there, since what year?',
    ],
    search: ['{name} founded', '{item} year founded'],
    phrase: ['year in which {name} was founded', 'founding year of the {item}'],
    order: ['Tell me when {name} was founded'],
  },
  {
    say: [
      'In {value} the family opened the {item}.',
      'Since {value} we have loved our work.',
      'The {item} has been here since {value}.',
      'It was founded in {value}, the new rooms were built in {other}.',
      'Our family started in {value}.',
    ],
    list: ['Founded in {value}', 'Here since {value}'],
    aside: ['In {other} we built new rooms.'],
    ask: ['In which year was {name} founded?', 'When did {name} start?'],
    search: ['since when {name}'],
    phrase: ['the founding year'],
    order: ['Find the year in which the {item} was founded'],
  },
);

export const parking = factKind(
  'parking',
  {
    say: [
      'You can park {value}.',
      'Parking is free {value}.',
      'There is parking {value}, but never {other}.',
      'Leave your car {value}.',
      'Guests park {value}, not {other}.',
      'If you come by car, you find a space {value}.',
    ],
    list: ['Parking {value}', 'Free parking: {value}', 'Parking {value}, not {other}'],
    aside: ['Please do not park {other}.', 'Cars standing {other} are towed away.'],
    ask: [
      'Where can I park?',
      'Where is parking?',
      'Where do guests leave their cars?',
      'Where do I find a parking space?',
    ],
    search: ['{name} parking', '{item} where to park'],
    phrase: ['place to park', 'parking at {name}'],
    order: ['Tell me where to park'],
  },
  {
    say: [
      'There is free parking {value}.',
      'If you come by car, please park {value}.',
      'Guests find free parking {value}.',
      'Please park {value} and not {other}.',
      'Your car can stand {value}.',
    ],
    list: ['Park {value}', 'Parking spaces {value}'],
    aside: ['There is no parking {other}.'],
    ask: ['Where may guests park?', 'Where can I leave my car?'],
    search: ['parking {item}'],
    phrase: ['where guests can park'],
    order: ['Find a place to park'],
  },
);

export const payment = factKind(
  'payment',
  {
    say: [
      'You can pay {value}.',
      'We accept payment {value}, but not {other}.',
      'Payment is possible {value}.',
      'Please pay {value}.',
      'At our till you pay {value}, never {other}.',
      'We take your money {value}.',
    ],
    list: ['Payment {value}', 'Pay {value}', 'Payment {value}, not {other}'],
    aside: ['Payment {other} is not possible.', 'Please do not ask to pay {other}.'],
    ask: [
      'How can I pay?',
      'Which ways of payment are accepted?',
      'How does one pay at {name}?',
      'What payment is possible?',
    ],
    search: ['{name} payment', '{item} ways to pay'],
    phrase: ['accepted ways of payment', 'how to pay at {name}'],
    order: ['Tell me how I can pay'],
  },
  {
    say: [
      'We accept your money {value}.',
      'Here you pay {value}.',
      'Our customers pay {value}.',
      'You may pay {value} but not {other}.',
      'At {name} you can pay {value}.',
    ],
    list: ['Ways to pay: {value}', 'Payment accepted {value}'],
    aside: ['You cannot pay {other}.'],
    ask: ['In which way can I pay?', 'How do customers pay?'],
    search: ['how to pay {name}'],
    phrase: ['the ways to pay'],
    order: ['Find out how to pay at {name}'],
  },
);

export const owner = factKind(
  'owner',
  {
    say: [
      'The {item} is run by {value}.',
      '{value} runs the {item}, having taken over from {other}.',
      'Your host is the owner, {value}.',
      'The owner is {value}.',
      '{value} has owned the {item} since {other} retired.',
      'The person in charge is {value}.',
    ],
    list: ['Owner: {value}', 'Run by {value}', 'Owner {value}, formerly {other}'],
    aside: ['The former owner {other} has retired.', 'Many still remember the former owner, {other}.'],
    ask: [
      'Who runs the {item}?',
      'Who is the owner of {name}?',
      'Who owns the {item} now?',
      'Who is in charge of {name}?',
    ],
    search: ['{name} owner', '{item} owner name'],
    phrase: ['owner of the {item}', 'person who runs {name}'],
    order: ['Name the owner of {name}'],
  },
  {
    say: [
      'The {item} belongs to {value}.',
      'You will meet {value}, who runs the {item}.',
      'The owner of the {item} is {value}.',
      '{value} took over the {item} from {other}.',
      'In charge of the {item} is {value}.',
    ],
    list: ['Owned by {value}', 'In charge: {value}'],
    aside: ['The {item} was formerly run by {other}.'],
    ask: ['Who is the owner of the {item}?', 'Which person runs {name}?'],
    search: ['who owns {name}'],
    phrase: ['the person in charge of the {item}'],
    order: ['Tell me who runs the {item}'],
  },
);

export const chef = factKind(
  'chef',
  {
    say: [
      'In the kitchen stands {value}.',
      'Our chef is {value}, while {other} looks after the guests.',
      'The chef, {value}, cooks every dish fresh.',
      '{value} cooks, {other} serves.',
      'The kitchen is led by {value}.',
      'All dishes come from our chef {value}.',
    ],
    list: ['Chef: {value}', 'In the kitchen: {value}', 'Chef {value}, host {other}'],
    aside: ['At the tables {other} looks after you.', 'Your waiter is {other}.'],
    ask: [
      'Who cooks at {name}?',
      'Who is the chef?',
      'Who leads the kitchen of the {item}?',
      'Which chef cooks there?',
    ],
    search: ['{name} chef', '{item} chef name'],
    phrase: ['chef of the {item}', 'person who cooks at {name}'],
    order: ['Name the chef of {name}'],
  },
  {
    say: [
      'The chef of the {item} is {value}.',
      '{value} leads the kitchen and {other} serves.',
      'Every dish is cooked by {value}.',
    ],
    list: ['The chef is {value}', 'Kitchen: {value}'],
    aside: ['The guests are served by {other}.'],
    ask: ['Who is the chef of {name}?', 'Who cooks in the {item}?'],
    search: ['who cooks {name}'],
    phrase: ['the chef who leads the kitchen'],
    order: ['Tell me who cooks at the {item}'],
  },
);

export const feature = factKind(
  'feature',
  {
    say: [
      'There is {value}.',
      'We have {value}, but no {other}.',
      'You will enjoy {value}.',
      'What makes us special is {value}.',
      'You can use {value} at any time; {other} we do not have.',
      'Guests love the place because it has {value}.',
    ],
    list: ['With {value}', 'Special: {value}', 'With {value}, without {other}'],
    aside: ['We have no {other}.', 'There is no {other} here.'],
    ask: [
      'What makes the {item} special?',
      'What does {name} have that guests love?',
      'What is special about {name}?',
      'What can guests enjoy there?',
    ],
    search: ['{name} special feature', '{item} what is special'],
    phrase: ['special feature of the {item}', 'what makes {name} special'],
    order: ['Tell me what is special about {name}'],
  },
  {
    say: [
      'You can enjoy {value} at {name}.',
      'Our guests can use {value}.',
      'A special feature of the {item} is {value}.',
      'The {item} has {value} but no {other}.',
      'Guests enjoy {value}.',
    ],
    list: ['Special feature: {value}', 'We have {value}'],
    aside: ['Please note that there is no {other}.'],
    ask: ['What is special about the {item}?', 'What do guests love about {name}?'],
    search: ['special feature {name}'],
    phrase: ['what guests enjoy at {name}'],
    order: ['Name the special feature of the {item}'],
  },
);

export const seats = factKind(
  'seats',
  {
    say: [
      'We have room for {value}.',
      'There is room for {value} inside and {other} outside.',
      'Inside {value} find a seat.',
      'The dining room seats {value}.',
      'Our dining room has space for {value}, the terrace for {other}.',
      'Up to {value} can sit inside.',
    ],
    list: ['Seats inside: {value}', 'Room for {value}', 'Inside {value}, outside {other}'],
    aside: ['Outside there is room for {other}.', 'The terrace seats {other}.'],
    ask: [
      'How many guests fit inside?',
      'How many people can sit in the dining room?',
      'How many guests does the {item} have room for inside?',
      'How many seats does the dining room have?',
    ],
    search: ['{name} seats inside', '{item} number of guests dining room'],
    phrase: ['number of guests in the dining room', 'seats inside the {item}'],
    order: ['Tell me how many guests fit inside'],
  },
  {
    say: [
      'In the dining room there is room for {value}.',
      'Inside we seat {value} and outside {other}.',
      'The {item} seats {value} inside.',
    ],
    list: ['Dining room: {value}', 'Inside room for {value}'],
    aside: ['Outside we seat {other}.'],
    ask: ['How many guests can sit inside?', 'How many people fit into the dining room?'],
    search: ['how many seats {name} inside'],
    phrase: ['how many guests the dining room seats'],
    order: ['Find the number of seats inside'],
  },
);
