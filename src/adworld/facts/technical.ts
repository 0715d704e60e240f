/** Figures of machines, games, books and vehicles. Texts only. */
import { factKind } from './kind.js';

export const battery = factKind(
  'battery',
  {
    say: [
      'The battery lasts {value}.',
      'The battery lasts {value}, in the older model {other}.',
      'On one charge it runs for {value}.',
      'You can use it for {value} without charging.',
      'It runs {value} on a full battery, where the older model managed {other}.',
      'A full battery is good for {value}.',
    ],
    list: ['Battery: {value}', 'Battery life {value}', 'Battery {value}, older model {other}'],
    aside: [
      'The older model ran for {other} on one charge.',
      'With the older model the battery was empty after {other}.',
    ],
    ask: [
      'How long does the battery last?',
      'What is the battery life of the {item}?',
      'How long does the {item} run on one charge?',
      'How long can I use it without charging?',
    ],
    search: ['{item} battery life', '{name} battery'],
    phrase: ['battery life of the {item}', 'running time on a full battery'],
    order: ['Tell me how long the battery lasts'],
  },
  {
    say: [
      'You can go {value} on a full battery.',
      'The battery life is {value}.',
      'A full battery lasts {value}; with the older model it was {other}.',
      'Without charging it runs for {value}.',
    ],
    list: ['Battery life: {value}', 'Runs {value} on one charge'],
    aside: ['The battery life of the older model was {other}.'],
    ask: ['How long is the battery life?', 'For how long does the {item} run without charging?'],
    search: ['how long battery {item}'],
    phrase: ['the battery life of {name}'],
    order: ['Find the battery life'],
  },
);

export const power = factKind(
  'power',
  {
    say: [
      'It has a power of {value}.',
      'The motor has {value}, that of the older model {other}.',
      'With {value} of power it does its work quickly.',
      'A power of {value} is enough for every task.',
      'Its power went up from {other} to {value}.',
      'The {item} runs at {value}.',
    ],
    list: ['Power: {value}', '{value} of power', 'Power {value}, older model {other}'],
    aside: ['The older model had a power of {other}.', 'Its forerunner ran at {other}.'],
    ask: [
      'How powerful is the {item}?',
      'How much power does the {item} have?',
      'What is the power of the new {item}?',
      'How many watts or horsepower does it have?',
    ],
    search: ['{item} power', '{name} power'],
    phrase: ['power of the {item}', 'the power of {name}'],
    order: ['Tell me the power of the {item}'],
  },
  {
    say: [
      'The power of the {item} is {value}.',
      'It has {value} of power, while the older model had {other}.',
      'Its motor runs at {value}.',
    ],
    list: ['Power of the {item}: {value}', 'Motor {value}'],
    aside: ['The power of the older model was {other}.'],
    ask: ['What power does the {item} have?', 'How strong is the {item}, what is its power?'],
    search: ['how powerful {item}'],
    phrase: ['how much power {name} has'],
    order: ['Find the power of the {item}'],
  },
);

/** What it holds: liters, books, people. */
export const capacity = factKind(
  'capacity',
  {
    say: [
      'It holds {value}.',
      'There is room for {value}.',
      'The {item} holds {value}, the small one {other}.',
      'It has space for {value}.',
      'With room for {value} it is larger than the small one with {other}.',
      'You can put {value} into it.',
    ],
    list: ['Capacity: {value}', 'Holds {value}', 'Room for {value} (small one: {other})'],
    aside: ['The small one holds {other}.', 'A small one with room for {other} will follow.'],
    ask: [
      'How much does the {item} hold?',
      'What is the capacity of the {item}?',
      'How much room is there in the {item}?',
      'How much fits into the {item}?',
    ],
    search: ['{item} capacity', '{name} how much does it hold'],
    phrase: ['capacity of the {item}', 'how much fits into the {item}'],
    order: ['Tell me the capacity of the {item}'],
  },
  {
    say: [
      'You can fill it with {value}.',
      'The capacity of the {item} is {value}.',
      'It has a capacity of {value}, while the small one holds {other}.',
      'The {item} has room for {value}.',
    ],
    list: ['The {item} holds {value}', 'Space for {value}'],
    aside: ['The capacity of the small one is {other}.'],
    ask: ['What capacity does the {item} have?', 'How much room does the {item} have?'],
    search: ['how much fits {item}'],
    phrase: ['the capacity of {name}'],
    order: ['Find out how much the {item} holds'],
  },
);

export const assembly = factKind(
  'assembly',
  {
    say: [
      'Assembly takes {value}.',
      'You put it together in {value}.',
      'Two people assemble it in {value}, one person needs {other}.',
      'It stands after {value} of assembly.',
      'With two people the assembly is done in {value}.',
      'Plan {value} for putting the {item} together with a friend; alone it takes {other}.',
    ],
    list: ['Assembly: {value}', 'Assembled in {value}', 'Assembly {value}, alone {other}'],
    aside: ['Alone you need {other}.', 'If you work alone, allow {other}.'],
    ask: [
      'How long does assembly take for two people?',
      'How long do two people need to put the {item} together?',
      'How much time does the assembly of the {item} take with a friend?',
      'In what time can two of us assemble the {item}?',
    ],
    search: ['{item} assembly time two people', '{name} assembly with a friend'],
    phrase: ['assembly time with two people', 'time two people need for putting it together'],
    order: ['Tell me how long two people need for assembly'],
  },
  {
    say: [
      'Two people need {value} for the assembly.',
      'Putting it together takes two people {value} and one person {other}.',
      'The assembly of the {item} takes {value}.',
    ],
    list: ['Time for assembly (two people): {value}', 'Put together in {value}'],
    aside: ['One person needs {other} for the assembly.'],
    ask: ['How long is the assembly with two people?', 'How long does it take two people to assemble the {item}?'],
    search: ['how long assembly {item} two people'],
    phrase: ['the time for assembly with a friend'],
    order: ['Find the assembly time for two people'],
  },
);

export const load = factKind(
  'load',
  {
    say: [
      'It carries up to {value}.',
      'The {item} takes a load of {value}.',
      'It carries {value}, the light version only {other}.',
      'The greatest load is {value}.',
      'You can load it with {value}, but the light version with {other} only.',
      'It stands firm under {value}.',
    ],
    list: ['Maximum load: {value}', 'Carries {value}', 'Load {value}, light version {other}'],
    aside: ['The light version carries {other}.', 'With the light version the load must stay under {other}.'],
    ask: [
      'How much load can the {item} take?',
      'What is the maximum load of the {item}?',
      'How much can the {item} carry?',
      'What load does the {item} stand?',
    ],
    search: ['{item} maximum load', '{name} load'],
    phrase: ['maximum load of the {item}', 'how much the {item} carries'],
    order: ['Tell me the maximum load'],
  },
  {
    say: [
      'The maximum load of the {item} is {value}.',
      'Its load is {value} at most, for the light version {other}.',
      'The {item} can carry {value}.',
    ],
    list: ['Load: {value}', 'Can carry {value}'],
    aside: ['The maximum load of the light version is {other}.'],
    ask: ['What is the greatest load the {item} can carry?', 'How much load does the {item} carry?'],
    search: ['how much load {item}'],
    phrase: ['the load that {name} can take'],
    order: ['Find the maximum load of the {item}'],
  },
);

export const players = factKind(
  'players',
  {
    say: [
      'It is for {value}.',
      'A table of {value} is all it takes.',
      'The {item} is made for {value}, with the extra set for {other}.',
      'Gather {value} around the table.',
      'It works best with {value}.',
      'You need {value} for a round; the extra set is for {other}.',
    ],
    list: ['Players: {value}', 'For {value}', 'Players: {value}, with extra set {other}'],
    aside: ['With the extra set {other} can join.', 'The extra set is made for {other}.'],
    ask: [
      'How many players is the {item} for?',
      'How many people can play?',
      'How many players do I need without the extra set?',
      'For how many players is it made?',
    ],
    search: ['{item} number of players', '{name} how many players'],
    phrase: ['number of players', 'how many people can play the {item}'],
    order: ['Tell me how many can play'],
  },
  {
    say: [
      'The number of players is {value}.',
      'A round takes {value}, or {other} with the extra set.',
      'The {item} works with {value}.',
    ],
    list: ['Number of players: {value}', 'A {item} for {value}'],
    aside: ['With the extra set the number of players is {other}.'],
    ask: ['How many can play the {item}?', 'What is the number of players?'],
    search: ['how many people {item}'],
    phrase: ['the number of players for {name}'],
    order: ['Find the number of players'],
  },
);

export const pieces = factKind(
  'pieces',
  {
    say: [
      'There are {value} in the box.',
      'The box holds {value}, the travel box {other}.',
      'It has {value} in all.',
      'You get {value} in a strong box.',
      'Count them: {value}; the travel box has {other}.',
      'The {item} consists of {value}.',
    ],
    list: ['Contents: {value}', '{value} in the box', 'In the box: {value} (travel box {other})'],
    aside: ['The travel box has {other}.', 'There is also a travel box with {other}.'],
    ask: [
      'How many pieces does the {item} have?',
      'How many parts are in the box?',
      'How many pieces are in the normal box?',
      'How many pieces do I get?',
    ],
    search: ['{item} number of pieces', '{name} pieces'],
    phrase: ['number of pieces in the box', 'how many pieces the {item} has'],
    order: ['Tell me how many pieces there are'],
  },
  {
    say: [
      'In the box you find {value}.',
      'The {item} has {value}, in the travel box {other}.',
      'All in all there are {value}.',
    ],
    list: ['Pieces: {value}', 'The box has {value}'],
    aside: ['In the travel box you find {other}.'],
    ask: ['How many pieces are in the box?', 'What is the number of pieces?'],
    search: ['how many pieces {item}'],
    phrase: ['the number of pieces of {name}'],
    order: ['Find the number of pieces'],
  },
);

export const author = factKind(
  'author',
  {
    say: [
      'It was written by {value}.',
      'The author is {value}, the pictures are by {other}.',
      'The text comes from {value}.',
      'This {item} is the work of {value}.',
      '{value} wrote it, {other} drew the pictures.',
      'It took {value} three years to write it.',
    ],
    list: ['Author: {value}', 'By {value}', 'Author {value}, pictures {other}'],
    aside: ['The pictures are by {other}.', '{other} drew the pictures.'],
    ask: [
      'Who wrote the {item}?',
      'Who is the author of the {item}?',
      'By whom is the text?',
      'Which author wrote it?',
    ],
    search: ['{item} author', '{name} written by'],
    phrase: ['author of the {item}', 'person who wrote {name}'],
    order: ['Name the author of the {item}'],
  },
  {
    say: [
      'It is the work of the author {value}.',
      'Its author is {value}.',
      'The {item} was written by {value} with pictures by {other}.',
      'The text is the work of {value}.',
    ],
    list: ['Written by {value}', 'Text: {value}'],
    aside: ['It has pictures by {other}.'],
    ask: ['Who is the author?', 'Who wrote this {item}?'],
    search: ['who wrote {name}'],
    phrase: ['the author who wrote the {item}'],
    order: ['Tell me who wrote {name}'],
  },
);

export const pages = factKind(
  'pages',
  {
    say: [
      'It has {value}.',
      'The {item} has {value}, the first edition had {other}.',
      'On {value} you will find all you need.',
      'There are {value} to read.',
      'It grew from {other} to {value}.',
      'The new edition runs to {value}.',
    ],
    list: ['Length: {value}', '{value}', '{value} (first edition {other})'],
    aside: ['The first edition had {other}.', 'The first edition ran to {other}.'],
    ask: [
      'How many pages does the {item} have?',
      'How long is the {item}?',
      'What is the number of pages in the new edition?',
      'How many pages are there?',
    ],
    search: ['{item} pages', '{name} number of pages'],
    phrase: ['number of pages of the {item}', 'length of the new edition in pages'],
    order: ['Tell me the number of pages'],
  },
  {
    say: [
      'There are {value} in the new edition.',
      'The new edition has {value}.',
      'It is {value} long, while the first edition had {other}.',
      'The {item} runs to {value}.',
    ],
    list: ['Pages: {value}', 'In all {value}'],
    aside: ['There were {other} in the first edition.'],
    ask: ['How many pages are in the {item}?', 'How many pages long is the new edition?'],
    search: ['how many pages {item}'],
    phrase: ['the number of pages of {name}'],
    order: ['Find the number of pages'],
  },
);

export const published = factKind(
  'published',
  {
    say: [
      'It comes out on {value}.',
      'The new edition appears on {value}, the first appeared in {other}.',
      'You can buy it from {value}.',
      'It will be in the shops on {value}.',
      'After the first edition of {other} the new one comes out on {value}.',
      'Publication day is {value}.',
    ],
    list: ['Published: {value}', 'Out on {value}', 'Published {value}, first edition {other}'],
    aside: ['The first edition came out in {other}.', 'The first edition appeared in {other}.'],
    ask: [
      'When does the {item} come out?',
      'When is the new edition published?',
      'On what date does the {item} appear?',
      'From when can I buy the {item}?',
    ],
    search: ['{item} publication date', '{name} comes out when'],
    phrase: ['publication date of the {item}', 'day the new edition appears'],
    order: ['Tell me when the {item} comes out'],
  },
  {
    say: [
      'The {item} is published on {value}.',
      'The new edition is out on {value}, after the first one in {other}.',
      'Its publication date is {value}.',
    ],
    list: ['Publication date: {value}', 'Comes out on {value}'],
    aside: ['The publication date of the first edition was {other}.'],
    ask: ['When is the {item} published?', 'What is the publication date of the {item}?'],
    search: ['when {item} published'],
    phrase: ['the publication date of {name}'],
    order: ['Find the publication date'],
  },
);

export const year = factKind(
  'year',
  {
    say: [
      'It was built in {value}.',
      'The car was built in {value} and repainted in {other}.',
      'The year of construction is {value}.',
      'This {item} left the factory in {value}.',
      'Built in {value}, with new seats since {other}.',
      'It is a {item} of the year {value}.',
    ],
    list: ['Built {value}', 'Year: {value}', 'Built {value}, repainted {other}'],
    aside: ['It was repainted in {other}.', 'The seats were renewed in {other}.'],
    ask: [
      'When was the {item} built?',
      'What year is the {item} from?',
      'In which year was the car built?',
      'What is the year of construction?',
    ],
    search: ['{item} year', '{name} year built'],
    phrase: ['year of construction', 'year in which the {item} was built'],
    order: ['Tell me the year the {item} was built'],
  },
  {
    say: [
      'The {item} was built in {value}.',
      'Its year of construction is {value}; it was repainted in {other}.',
      'The car left the factory in {value}.',
    ],
    list: ['Year of construction: {value}', 'Year built {value}'],
    aside: ['In {other} it was repainted.'],
    ask: ['In what year was the {item} built?', 'When did the car leave the factory?'],
    search: ['what year {item}'],
    phrase: ['the year {name} was built'],
    order: ['Find the year of construction'],
  },
);

export const mileage = factKind(
  'mileage',
  {
    say: [
      'It has {value} on the clock.',
      'The car has run {value}.',
      'It has run {value}, the last service was at {other}.',
      'So far it has covered {value}.',
      'The mileage is {value}; new brakes were fitted at {other}.',
      'Only {value} so far, all of them documented.',
    ],
    list: ['Mileage: {value}', '{value} on the clock', 'Mileage {value}, service at {other}'],
    aside: ['The last service was at {other}.', 'New brakes were fitted at {other}.'],
    ask: [
      'What is the mileage of the {item}?',
      'How far has the car run?',
      'How many kilometers does the car have now?',
      'How much is on the clock?',
    ],
    search: ['{item} mileage', '{name} kilometers'],
    phrase: ['mileage of the {item}', 'distance the car has covered'],
    order: ['Tell me the mileage'],
  },
  {
    say: [
      'The mileage of the {item} is {value}.',
      'The clock shows {value}; the last service was done at {other}.',
      'The car has covered {value}.',
    ],
    list: ['Mileage of the car: {value}', 'Covered so far {value}'],
    aside: ['At {other} it had its last service.'],
    ask: ['How many kilometers has the {item} run?', 'What mileage does the car have?'],
    search: ['mileage {name}'],
    phrase: ['how far the car has run'],
    order: ['Find the mileage of the {item}'],
  },
);

export const fuel = factKind(
  'fuel',
  {
    say: [
      'It runs on {value}.',
      'The engine takes {value}.',
      'It runs on {value}, not on {other}.',
      'You fill it up with {value}.',
      'The fuel is {value}; {other} would ruin the engine.',
      'Its engine was made for {value}.',
    ],
    list: ['Fuel: {value}', 'Runs on {value}', 'Fuel {value} (not {other})'],
    aside: ['Never fill in {other}.', 'It does not take {other}.'],
    ask: [
      'What fuel does the {item} use?',
      'What does the car run on?',
      'Which fuel does the engine take?',
      'What do I fill it up with?',
    ],
    search: ['{item} fuel', '{name} fuel type'],
    phrase: ['fuel of the {item}', 'fuel that the engine takes'],
    order: ['Tell me which fuel the {item} takes'],
  },
  {
    say: [
      'The fuel for this {item} is {value}.',
      'The engine runs on {value} and does not take {other}.',
      'Fill up with {value}.',
    ],
    list: ['Fuel type: {value}', 'Engine for {value}'],
    aside: ['The engine does not run on {other}.'],
    ask: ['Which fuel does the {item} run on?', 'What fuel does the engine take?'],
    search: ['what fuel {item}'],
    phrase: ['the fuel type of {name}'],
    order: ['Find the fuel of the car'],
  },
);

export const inspection = factKind(
  'inspection',
  {
    say: [
      'The inspection is valid until {value}.',
      'The next inspection is due in {value}.',
      'The last inspection was in {other}, the next is due in {value}.',
      'Until {value} you need not think of the inspection.',
      'It passed its inspection in {other}, which is valid until {value}.',
      'You need no new inspection before {value}.',
    ],
    list: ['Inspection until {value}', 'Next inspection: {value}', 'Inspection {other}, next one {value}'],
    aside: ['The last inspection was in {other}.', 'It passed its last inspection in {other}.'],
    ask: [
      'When is the next inspection due?',
      'How long is the inspection valid?',
      'Until when is the inspection of the {item} valid?',
      'When does the car need a new inspection?',
    ],
    search: ['{item} next inspection', '{name} inspection valid until'],
    phrase: ['date of the next inspection', 'month in which the new inspection is due'],
    order: ['Tell me when the next inspection is due'],
  },
  {
    say: [
      'The car needs its next inspection in {value}.',
      'Its inspection was in {other} and is valid until {value}.',
      'A new inspection is due in {value}.',
    ],
    list: ['Inspection valid until {value}', 'New inspection due {value}'],
    aside: ['In {other} it passed its inspection.'],
    ask: ['When is a new inspection due?', 'Until when is the inspection valid?'],
    search: ['next inspection {name}'],
    phrase: ['until when the inspection is valid'],
    order: ['Find the month of the next inspection'],
  },
);

export const owners = factKind(
  'owners',
  {
    say: [
      'The car has had {value}.',
      'It had {value} before you.',
      'There were {value} in all, the last one for {other}.',
      'So far there have been {value}.',
      'It comes from {value} who took good care of it.',
      'Its papers name {value}; the present keeper has had it for {other}.',
    ],
    list: ['Previous owners: {value}', '{value}', '{value}, the last for {other}'],
    aside: ['The present keeper has had it for {other}.', 'I have driven it for {other}.'],
    ask: [
      'How many owners has the {item} had?',
      'How many owners did the car have before?',
      'What is the number of previous owners?',
      'How many owners are in the papers?',
    ],
    search: ['{item} previous owners', '{name} number of owners'],
    phrase: ['number of previous owners', 'how many owners the {item} had'],
    order: ['Tell me how many owners there were'],
  },
  {
    say: [
      'Before you there have been {value}.',
      'The papers name {value}, the last of whom kept it for {other}.',
      'The {item} has had {value}.',
    ],
    list: ['Owners so far: {value}', 'In the papers: {value}'],
    aside: ['The last of them kept it for {other}.'],
    ask: ['How many previous owners are there?', 'How many owners did the {item} have?'],
    search: ['how many owners {item}'],
    phrase: ['the number of owners in the papers'],
    order: ['Find the number of previous owners'],
  },
);
