/** What events announce: when, where, who, for whom. Texts only. */
import { factKind } from './kind.js';

export const date = factKind(
  'date',
  {
    say: [
      'It takes place on {value}.',
      'The {item} is on {value}.',
      'Moved from {other}, the {item} now takes place on {value}.',
      'Keep {value} free for it.',
      'The new date is {value} instead of {other}.',
      'Join us on {value}.',
      'We look forward to seeing you on {value}.',
    ],
    list: ['Date: {value}', 'On {value}', 'New date: {value} (not {other})'],
    aside: ['The first plan, {other}, had to be given up.', 'The date {other} on older posters is wrong.'],
    ask: [
      'When is the {item}?',
      'On what date does {name} take place?',
      'On which day is the {item}?',
      'What is the date of the {item} now?',
    ],
    search: ['{name} date', '{item} date'],
    phrase: ['date of the {item}', 'day on which {name} takes place'],
    order: ['Tell me the date of {name}'],
  },
  {
    say: [
      'Be there on {value}.',
      'We have moved it from {other} to {value}.',
      'The date of the {item} is {value}.',
      'It was planned for {other} but takes place on {value}.',
      'See you on {value}.',
    ],
    list: ['The date: {value}', 'Takes place on {value}'],
    aside: ['Older posters show the wrong date, {other}.'],
    ask: ['What is the date of {name}?', 'On which date does the {item} take place?'],
    search: ['when is {name}'],
    phrase: ['the day of the {item}'],
    order: ['Find the date of the {item}'],
  },
);

export const time = factKind(
  'time',
  {
    say: [
      'It starts at {value}.',
      'The {item} begins at {value}, doors open at {other}.',
      'We start at {value} sharp.',
      'Be there in time, it begins at {value}.',
      'Doors open at {other} and it starts at {value}.',
      'The beginning is at {value}.',
    ],
    list: ['Start: {value}', 'Begins at {value}', 'Doors {other}, start {value}'],
    aside: ['Doors open at {other}.', 'You can come in from {other}.'],
    ask: [
      'At what time does the {item} start?',
      'When does it begin?',
      'What time does {name} start?',
      'At what hour is the beginning?',
    ],
    search: ['{name} start time', '{item} begins what time'],
    phrase: ['start time of the {item}', 'hour at which {name} begins'],
    order: ['Tell me what time it starts'],
  },
  {
    say: [
      'We begin at {value}, the doors open at {other}.',
      'At {value} sharp it starts.',
      'The start time is {value}.',
      'At {other} the doors open, at {value} the {item} begins.',
      'The {item} starts at {value}.',
    ],
    list: ['Start time: {value}', 'It begins at {value}'],
    aside: ['The doors are open from {other}.'],
    ask: ['What time does the {item} begin?', 'At what time does {name} begin?'],
    search: ['start time {item}'],
    phrase: ['the time it begins'],
    order: ['Find the start time of {name}'],
  },
);

export const venue = factKind(
  'venue',
  {
    say: [
      'The place is {value}.',
      'It takes place at {value}.',
      'This year it is at {value}, last year it was at {other}.',
      'Come to {value}.',
      'We have moved from {other} to {value}.',
      'We meet at {value}.',
    ],
    list: ['Place: {value}', 'At {value}', 'Where: {value} (no longer {other})'],
    aside: ['Last year we were at {other}.', 'Do not go to {other} by mistake.'],
    ask: [
      'Where is the {item}?',
      'Where does {name} take place?',
      'At which place is the {item} this year?',
      'Where do I have to go for the {item}?',
    ],
    search: ['{name} place', '{item} where'],
    phrase: ['place of the {item}', 'where {name} takes place this year'],
    order: ['Tell me where the {item} is'],
  },
  {
    say: [
      'Find us at {value}.',
      'Your way leads to {value}, not to {other}.',
      'The {item} takes place at {value}.',
      'It has moved from {other} to {value} this year.',
      'We look forward to seeing you at {value}.',
    ],
    list: ['The place: {value}', 'Takes place at {value}'],
    aside: ['Last year it took place at {other}.'],
    ask: ['Where does the {item} take place?', 'At which place is {name}?'],
    search: ['where is {name}'],
    phrase: ['the place to go for {name}'],
    order: ['Find the place of the {item}'],
  },
);

export const performer = factKind(
  'performer',
  {
    say: [
      'On stage: {value}.',
      '{value} will be on stage, with {other} as opening act.',
      'The star of the evening is {value}.',
      'You will hear and see {value}.',
      'After the opening act {other} the stage belongs to {value}.',
      'The main act is {value}.',
    ],
    list: ['On stage: {value}', 'Main act: {value}', 'With {value}, opening act {other}'],
    aside: ['The opening act is {other}.', '{other} warms up the crowd as opening act.'],
    ask: [
      'Who is the main act?',
      'Who performs at {name}?',
      'Who is the star of the {item}?',
      'Who will be on stage after the opening act?',
    ],
    search: ['{name} main act', '{item} who performs'],
    phrase: ['main act of the {item}', 'star of the evening'],
    order: ['Name the main act of {name}'],
  },
  {
    say: [
      'Hear and see {value} on stage.',
      'The evening belongs to {value}.',
      'The main act on stage is {value}.',
      '{other} opens the evening, then {value} is the star.',
      'The star of the {item} is {value}.',
    ],
    list: ['Star: {value}', 'Main act of the evening: {value}'],
    aside: ['{other} will be on stage as opening act.'],
    ask: ['Who is the main act of the {item}?', 'Which star will be on stage?'],
    search: ['who performs {name}'],
    phrase: ['the star of {name}'],
    order: ['Tell me who performs at the {item}'],
  },
);

export const director = factKind(
  'director',
  {
    say: [
      'It is directed by {value}.',
      'The director is {value}, the music is by {other}.',
      'Directed by {value}, it will make you laugh and cry.',
      '{value} directs, {other} wrote the music.',
      'Behind it all stands the director {value}.',
      'The director of the {item} is {value}.',
    ],
    list: ['Director: {value}', 'Directed by {value}', 'Director {value}, music {other}'],
    aside: ['The music is by {other}.', '{other} wrote the music.'],
    ask: [
      'Who directs the {item}?',
      'Who is the director?',
      'By whom is {name} directed?',
      'Which director stands behind it?',
    ],
    search: ['{name} director', '{item} directed by'],
    phrase: ['director of the {item}', 'person who directs {name}'],
    order: ['Name the director of {name}'],
  },
  {
    say: [
      'The {item} is directed by {value}.',
      '{value} is the director and {other} wrote the music.',
      'Its director is {value}.',
    ],
    list: ['The director is {value}', 'Direction: {value}'],
    aside: ['It has music by {other}.'],
    ask: ['Who is the director of {name}?', 'By whom is the {item} directed?'],
    search: ['who directs {name}'],
    phrase: ['the director behind the {item}'],
    order: ['Tell me who directs the {item}'],
  },
);

export const guide = factKind(
  'guide',
  {
    say: [
      'Your guide is {value}.',
      '{value} guides you, standing in for {other}.',
      'You are guided by {value}.',
      'The guide, {value}, knows every stone.',
      'Instead of {other} the guide this year is {value}.',
      'Follow {value}, who was born here.',
    ],
    list: ['Guide: {value}', 'Guided by {value}', 'Guide {value}, not {other}'],
    aside: ['Last year {other} was the guide.', 'In the office {other} takes your bookings.'],
    ask: [
      'Who is the guide?',
      'Who guides the {item}?',
      'What is the name of the guide this year?',
      'By whom is the {item} guided?',
    ],
    search: ['{name} guide', '{item} guide name'],
    phrase: ['guide of the {item}', 'person who guides {name}'],
    order: ['Name the guide of the {item}'],
  },
  {
    say: [
      'You will follow {value}, your guide.',
      'The guide of the {item} is {value}.',
      '{value} is your guide, while {other} was last year.',
      'The {item} is guided by {value}.',
    ],
    list: ['The guide is {value}', 'Your guide: {value}'],
    aside: ['{other} was the guide last year.'],
    ask: ['Who is the guide of the {item}?', 'By whom are we guided?'],
    search: ['who guides {name}'],
    phrase: ['the name of the guide'],
    order: ['Tell me who guides the {item}'],
  },
);

export const age = factKind(
  'age',
  {
    say: [
      'It is for {value}.',
      'The {item} is open to {value}.',
      'Only {value} may take part.',
      'Open to {value}; {other} need an adult with them.',
      'We made it for {value}.',
      'The age limit is: {value}.',
    ],
    list: ['Age: {value}', 'For {value}', 'Age limit: {value}'],
    aside: ['In the company of an adult {other} may come too.', 'With an adult also {other} are welcome.'],
    ask: [
      'What age is the {item} for?',
      'What is the age limit?',
      'How old do I have to be to come alone?',
      'From what age is the {item}?',
    ],
    search: ['{item} age', '{name} age limit'],
    phrase: ['age limit of the {item}', 'age for coming alone'],
    order: ['Tell me the age limit'],
  },
  {
    say: [
      'This is for {value}.',
      'We are open to {value}.',
      'The age limit of the {item} is: {value}.',
      'For {value}; {other} may come with an adult.',
      'The {item} is made for {value}.',
    ],
    list: ['Open to {value}', 'The age: {value}'],
    aside: ['With an adult {other} may take part.'],
    ask: ['What is the age limit of the {item}?', 'From what age can I come alone?'],
    search: ['age limit {item}'],
    phrase: ['the age limit for {name}'],
    order: ['Find the age limit of the {item}'],
  },
);

export const language = factKind(
  'language',
  {
    say: [
      'It is held in {value}.',
      'The language is {value}, with notes in {other}.',
      'Everything is explained in {value}.',
      'We speak {value} on this {item}.',
      'You listen in {value} and can read along in {other}.',
      'The spoken language is {value}.',
    ],
    list: ['Language: {value}', 'In {value}', 'Language {value}, notes in {other}'],
    aside: ['There are notes in {other}.', 'A leaflet in {other} lies ready.'],
    ask: [
      'In which language is the {item}?',
      'What language is spoken?',
      'Which language do they speak at {name}?',
      'In what language is it held?',
    ],
    search: ['{item} language', '{name} spoken language'],
    phrase: ['language of the {item}', 'language that is spoken'],
    order: ['Tell me the language of the {item}'],
  },
  {
    say: [
      'The {item} is held in {value}.',
      'They speak {value}, but the notes are in {other}.',
      'The language of the {item} is {value}.',
    ],
    list: ['Spoken language: {value}', 'Held in {value}'],
    aside: ['The notes are in {other}.'],
    ask: ['What is the language of the {item}?', 'In which language is {name} held?'],
    search: ['which language {item}'],
    phrase: ['the language spoken at {name}'],
    order: ['Find the language of {name}'],
  },
);

export const bring = factKind(
  'bring',
  {
    say: [
      'Please bring {value}.',
      'Bring {value}; {other} are provided.',
      'You will need {value}.',
      'Do not forget {value}.',
      'Pack {value}, while we have {other} for you.',
      'All you have to bring is {value}.',
    ],
    list: ['Please bring: {value}', 'Bring {value}', 'Bring {value} ({other} are provided)'],
    aside: ['We have {other} for you.', 'You can leave {other} at home, we have enough.'],
    ask: [
      'What do I have to bring?',
      'What should I bring along?',
      'What do I need for the {item}?',
      'What should I pack?',
    ],
    search: ['{item} what to bring', '{name} things to bring'],
    phrase: ['things to bring', 'what to pack for the {item}'],
    order: ['Tell me what to bring'],
  },
  {
    say: [
      'Please bring along {value}.',
      'Come with {value}, we have {other}.',
      'For the {item} you need {value}.',
      'You have to bring {value}, but not {other}.',
      'Pack {value} for the {item}.',
    ],
    list: ['Things to bring: {value}', 'You need {value}'],
    aside: ['You need not bring {other}.'],
    ask: ['What do I need to bring?', 'What should I pack for {name}?'],
    search: ['what to bring {item}'],
    phrase: ['the things I need for the {item}'],
    order: ['List what to bring'],
  },
);

export const stalls = factKind(
  'stalls',
  {
    say: [
      'There are {value} this year.',
      'This year {value} are waiting for you, after {other} last year.',
      'You can stroll past {value}.',
      'We expect {value}.',
      'From {other} it has grown to {value}.',
      'Look forward to {value}.',
    ],
    list: ['{value}', 'With {value}', '{value} (last year {other})'],
    aside: ['Last year there were {other}.', 'A year ago we counted {other}.'],
    ask: [
      'How many stalls are there this year?',
      'How many stalls does {name} have?',
      'What is the number of stalls this year?',
      'How many stalls are expected?',
    ],
    search: ['{name} number of stalls', '{item} stalls'],
    phrase: ['number of stalls this year', 'how many stalls there are'],
    order: ['Tell me how many stalls there are'],
  },
  {
    say: [
      'This year the {item} has {value}.',
      'We expect {value} after {other} last year.',
      'You will find {value} here.',
    ],
    list: ['This year {value}', 'Number of stalls: {value}'],
    aside: ['There were {other} last year.'],
    ask: ['How many stalls will there be?', 'What is the number of stalls?'],
    search: ['how many stalls {item}'],
    phrase: ['the number of stalls at {name}'],
    order: ['Find the number of stalls'],
  },
);
