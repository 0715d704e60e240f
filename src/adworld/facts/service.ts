/** What services, courses and clubs promise: times, people, groups, terms. Texts only. */
import { factKind } from './kind.js';

export const areaServed = factKind(
  'area',
  {
    say: [
      'We work in {value}.',
      'We work in {value}, but no longer in {other}.',
      'Our area is {value}.',
      'You can call us from anywhere in {value}.',
      'We come to homes in {value}, though not in {other}.',
      'Customers in {value} trust us.',
    ],
    list: ['Area: {value}', 'Working in {value}', 'Area {value}, not {other}'],
    aside: ['We do not go to {other}.', 'Sadly we cannot come to {other}.'],
    ask: [
      'In which towns do they work?',
      'Which area does {name} serve?',
      'Where does the {item} work?',
      'To which towns does {name} come?',
    ],
    search: ['{name} area served', '{item} towns'],
    phrase: ['area served by {name}', 'towns in which the {item} works'],
    order: ['Tell me the area that {name} serves'],
  },
  {
    say: [
      'Our customers live in {value}.',
      'We serve {value}.',
      'The area we serve is {value}, without {other}.',
      'We come to you in {value}.',
    ],
    list: ['Area served: {value}', 'We come to {value}'],
    aside: ['We do not work in {other}.'],
    ask: ['Which towns does {name} serve?', 'In which area does the {item} work?'],
    search: ['which towns {name}'],
    phrase: ['the towns that {name} serves'],
    order: ['Name the towns that the {item} serves'],
  },
);

export const response = factKind(
  'response',
  {
    say: [
      'We are with you within {value}.',
      'We arrive within {value}, on holidays within {other}.',
      'You wait for us no longer than {value}.',
      'After your call we need {value} to reach you.',
      'On normal days we are there in {value}, on holidays in {other}.',
      'Help arrives in {value}.',
    ],
    list: ['With you in {value}', 'Response time: {value}', 'Response {value}, holidays {other}'],
    aside: ['On holidays it takes {other}.', 'On holidays please allow us {other}.'],
    ask: [
      'How fast do they arrive on normal days?',
      'How long do I wait for the {item}?',
      'How quickly does {name} come on a normal day?',
      'What is the normal response time?',
    ],
    search: ['{name} response time', '{item} how fast'],
    phrase: ['normal response time', 'time until {name} arrives'],
    order: ['Tell me how fast {name} arrives'],
  },
  {
    say: [
      'You wait {value} for us at most.',
      'Our response time is {value}.',
      'We reach you within {value}, but on holidays within {other}.',
      'After your call we arrive in {value}.',
    ],
    list: ['There in {value}', 'Normal response time {value}'],
    aside: ['The response time on holidays is {other}.'],
    ask: ['How quickly do they arrive on a normal day?', 'How long until {name} arrives?'],
    search: ['response time {item}'],
    phrase: ['how fast the {item} is there'],
    order: ['Find the normal response time'],
  },
);

export const guarantee = factKind(
  'guarantee',
  {
    say: [
      'We guarantee our work for {value}.',
      'On our work you have a guarantee of {value}, on parts {other}.',
      'Our work is guaranteed for {value}.',
      'If anything fails within {value}, we repair it for free.',
      'You get {value} of guarantee on work and {other} on parts.',
      'The guarantee on our work is {value}.',
    ],
    list: ['Guarantee on work: {value}', '{value} of guarantee', 'Guarantee {value}, parts {other}'],
    aside: ['For parts the guarantee is {other}.', 'Parts are guaranteed for {other}.'],
    ask: [
      'How long is the work guaranteed?',
      'What guarantee does {name} give on its work?',
      'For how long is there a guarantee on the work?',
      'How long is the guarantee on work?',
    ],
    search: ['{name} guarantee on work', '{item} work guarantee'],
    phrase: ['guarantee on the work', 'length of the guarantee on work'],
    order: ['Tell me how long the work is guaranteed'],
  },
  {
    say: [
      'If our work fails within {value}, the repair is free.',
      'Our guarantee on work lasts {value}.',
      'The work is guaranteed for {value}, parts for {other}.',
      'You have {value} of guarantee on our work.',
    ],
    list: ['Work guaranteed for {value}', 'Guarantee: {value} on work'],
    aside: ['The guarantee on parts is {other}.'],
    ask: ['How long does the guarantee on the work last?', 'For how long does {name} guarantee its work?'],
    search: ['guarantee {name} work'],
    phrase: ['how long the work is guaranteed'],
    order: ['Find the guarantee on work'],
  },
);

/** What a service or a salon is best at. */
export const expertise = factKind(
  'expertise',
  {
    say: [
      'Our field is {value}.',
      'We are experts in {value}.',
      'Nobody knows more about {value} than we do.',
      'For {value} we are the right people.',
      'Today we are best at {value}, in former times it was {other}.',
      'We know all about {value} and a little about {other}.',
      'Ask us about {value}.',
    ],
    list: ['Experts in {value}', 'Our field: {value}', 'Our field: {value} (formerly {other})'],
    aside: ['In former times our field was {other}.', 'We once started with {other}.'],
    ask: [
      'What is the {item} best at?',
      'In what is {name} an expert?',
      'What is the special field of the {item} today?',
      'What does {name} know most about?',
    ],
    search: ['{name} special field', '{item} expert in what'],
    phrase: ['special field of the {item}', 'field in which {name} is an expert'],
    order: ['Tell me what {name} is best at'],
  },
  {
    say: [
      'The {item} is expert in {value}.',
      'Our special field is {value}, no longer {other}.',
      'What we are best at: {value}.',
      'We know more than others about {value}.',
    ],
    list: ['Special field: {value}', 'Best at {value}'],
    aside: ['Our special field was {other} in former times.'],
    ask: ['What is {name} best at?', 'Which field is the {item} expert in?'],
    search: ['special field {item}'],
    phrase: ['what the {item} knows most about'],
    order: ['Find the special field of {name}'],
  },
);

export const teacher = factKind(
  'teacher',
  {
    say: [
      'The teacher is {value}.',
      'It is taught by {value}, as {other} has left us.',
      'Your teacher will be {value}.',
      '{value} teaches, with {other} as assistant.',
      'You learn with {value}.',
      'With {value} you have a patient teacher.',
    ],
    list: ['Teacher: {value}', 'Taught by {value}', 'Teacher {value}, assistant {other}'],
    aside: ['The assistant is {other}.', 'Last year {other} was with us.'],
    ask: [
      'Who teaches the {item}?',
      'Who is the teacher?',
      'With whom do I learn?',
      'What is the name of the teacher?',
    ],
    search: ['{item} teacher', '{name} teacher name'],
    phrase: ['teacher of the {item}', 'person who teaches the {item}'],
    order: ['Name the teacher of the {item}'],
  },
  {
    say: [
      'You will be taught by {value}.',
      'Learn with {value} as your teacher.',
      'The {item} is taught by {value}.',
      '{value} is the teacher and {other} the assistant.',
      'The teacher of the {item} is {value}.',
    ],
    list: ['{value} teaches', 'Your teacher: {value}'],
    aside: ['{other} helps as assistant.'],
    ask: ['Who is the teacher of the {item}?', 'By whom is the {item} taught?'],
    search: ['who teaches {item}'],
    phrase: ['the name of the teacher'],
    order: ['Tell me who teaches the {item}'],
  },
);

export const groupSize = factKind(
  'group',
  {
    say: [
      'The group has {value} at most.',
      'We take no more than {value}.',
      'There are never more than {value}, in the summer {other}.',
      'Groups are limited to {value}.',
      'You share the {item} with a group of {value} at most.',
      'The limit is {value} a group, in the summer {other}.',
    ],
    list: ['Group: at most {value}', 'Up to {value}', 'Group of {value} at most (summer: {other})'],
    aside: ['In the summer the limit is {other}.', 'Summer groups may have {other}.'],
    ask: [
      'How many people are in a group?',
      'How large is the group normally?',
      'What is the largest size of a group?',
      'How many people can take part in the {item}?',
    ],
    search: ['{item} group size', '{name} number of people in group'],
    phrase: ['size of the group', 'largest number of people in the {item}'],
    order: ['Tell me how large the group is'],
  },
  {
    say: [
      'In one group there are {value} at most.',
      'A group is never larger than {value}.',
      'At most {value} can take part.',
      'The size of a group is {value}, in the summer {other}.',
      'The {item} is limited to {value}.',
    ],
    list: ['Group size: {value}', 'Limited to {value}'],
    aside: ['In the summer a group has {other}.'],
    ask: ['What is the size of the group?', 'How many people can be in the group?'],
    search: ['how many people {item} group'],
    phrase: ['the size of a normal group'],
    order: ['Find the group size'],
  },
);

export const startDate = factKind(
  'start',
  {
    say: [
      'It starts on {value}.',
      'The {item} starts on {value}, the next one on {other}.',
      'We begin on {value}.',
      'The first lesson is on {value}.',
      'This {item} begins on {value}; a second one follows on {other}.',
      'Be there when we start on {value}.',
    ],
    list: ['Start: {value}', 'Starts on {value}', 'Start {value}, next one {other}'],
    aside: ['The next one begins on {other}.', 'A second one starts on {other}.'],
    ask: [
      'When does the {item} start?',
      'When is the first lesson?',
      'On what date does this {item} begin?',
      'What is the first day?',
    ],
    search: ['{item} start date', '{name} begins when'],
    phrase: ['start date of the {item}', 'day of the first lesson'],
    order: ['Tell me when the {item} starts'],
  },
  {
    say: [
      'Our first day is {value}.',
      'The start date is {value}.',
      'The first lesson takes place on {value}; the next {item} starts on {other}.',
      'The {item} begins on {value}.',
    ],
    list: ['Start date: {value}', 'First lesson {value}'],
    aside: ['The start date of the next one is {other}.'],
    ask: ['When does the {item} begin?', 'What is the start date?'],
    search: ['when does {item} start'],
    phrase: ['the date of the first lesson'],
    order: ['Find the start date of the {item}'],
  },
);

export const schedule = factKind(
  'schedule',
  {
    say: [
      'Lessons are {value}.',
      'Lessons are {value}, in the holidays {other}.',
      'We meet {value}.',
      'The {item} takes place {value}.',
      'You come to us {value}.',
      'We meet {value}, except in the holidays, when it is {other}.',
    ],
    list: ['Lessons: {value}', 'Every week {value}', 'Lessons {value} (holidays: {other})'],
    aside: ['In the holidays we meet {other}.', 'Holiday lessons are {other}.'],
    ask: [
      'When are the lessons?',
      'On which day and at what time is the {item}?',
      'At what time of the week do we normally meet?',
      'When does the {item} take place each week?',
    ],
    search: ['{item} day and time', '{name} lesson times'],
    phrase: ['day and time of the lessons', 'normal lesson times'],
    order: ['Tell me when the lessons are'],
  },
  {
    say: [
      'Come to the lessons {value}.',
      'The lessons take place {value}.',
      'The {item} meets {value}, but in the holidays {other}.',
      'Each week we meet {value}.',
    ],
    list: ['Day and time: {value}', 'We meet every week {value}'],
    aside: ['In the holidays lessons are {other}.'],
    ask: ['When do the lessons take place?', 'At what time and on which day do we meet?'],
    search: ['when lessons {item}'],
    phrase: ['the day and time we normally meet'],
    order: ['Find the times of the lessons'],
  },
);

export const duration = factKind(
  'duration',
  {
    say: [
      'It lasts {value}.',
      'The {item} lasts {value}, last year {other}.',
      'It takes {value} from start to finish.',
      'Plan {value} for the {item}.',
      'All in all it goes on for {value}.',
      'This year the {item} takes {value} instead of {other}.',
    ],
    list: ['Duration: {value}', 'Lasts {value}', 'Duration {value} (last year {other})'],
    aside: ['Last year it took {other}.', 'A year ago it still lasted {other}.'],
    ask: [
      'How long does the {item} last?',
      'How long does it take?',
      'What is the duration of the {item} this year?',
      'How much time does the {item} take?',
    ],
    search: ['{item} duration', '{name} how long'],
    phrase: ['duration of the {item}', 'time the {item} takes this year'],
    order: ['Tell me how long the {item} lasts'],
  },
  {
    say: [
      'You should plan {value} for it.',
      'The {item} goes on for {value}.',
      'The duration of the {item} is {value}.',
      'It lasts {value} this year, after {other} last year.',
      'From start to finish it takes {value}.',
    ],
    list: ['In all {value}', 'Duration of {value}'],
    aside: ['The duration last year was {other}.'],
    ask: ['How long will the {item} be?', 'For how long does the {item} go on?'],
    search: ['how long {item}'],
    phrase: ['the duration of {name}'],
    order: ['Find the duration of the {item}'],
  },
);

export const deadline = factKind(
  'deadline',
  {
    say: [
      'Sign up by {value}.',
      'Please register by {value}.',
      'Early birds sign up by {other}, all others by {value}.',
      'The last day to register is {value}.',
      'You can sign up until {value}; until {other} it is cheaper.',
      'Registration closes on {value}.',
    ],
    list: ['Sign up by {value}', 'Registration until {value}', 'Register by {value} (early birds {other})'],
    aside: ['Early birds register by {other}.', 'It is cheaper until {other}.'],
    ask: [
      'What is the last day to register?',
      'Until when can I sign up?',
      'By which date do I have to register at the latest?',
      'When does registration close?',
    ],
    search: ['{item} registration deadline', '{name} last day to sign up'],
    phrase: ['last day for registration', 'final date to sign up'],
    order: ['Tell me the last day to sign up'],
  },
  {
    say: [
      'The last day to sign up is {value}.',
      'Registration is cheaper until {other} and closes on {value}.',
      'You have to register by {value}.',
    ],
    list: ['Last day to register: {value}', 'Sign up until {value}'],
    aside: ['Registration is cheaper until {other}.'],
    ask: ['By what date do I have to sign up?', 'What is the last day of registration?'],
    search: ['sign up until when {item}'],
    phrase: ['the last date to register'],
    order: ['Find the last day for registration'],
  },
);

export const trial = factKind(
  'trial',
  {
    say: [
      'You can try us for {value} free of charge.',
      'The free trial lasts {value}, for students {other}.',
      'New members train free for {value}.',
      'Try everything free for {value}.',
      'Your first {value} are on us.',
      'We give new members {value} and students {other} of free trial.',
    ],
    list: ['Free trial: {value}', 'Try it free for {value}', 'Free trial {value}, students {other}'],
    aside: ['For students the free trial lasts {other}.', 'Students may try it for {other}.'],
    ask: [
      'How long is the free trial for new members?',
      'How long can I try it for free?',
      'What free trial do new members get?',
      'For how long is it free at first?',
    ],
    search: ['{name} free trial', '{item} trial length'],
    phrase: ['free trial for new members', 'length of the free trial'],
    order: ['Tell me how long the free trial is'],
  },
  {
    say: [
      'The free trial for new members is {value}.',
      'New members try it free for {value}, students for {other}.',
      'We let you try everything for {value}.',
    ],
    list: ['New members free for {value}', 'Trial: {value} free'],
    aside: ['Students have a free trial of {other}.'],
    ask: ['How long does the free trial last?', 'How long is it free for new members?'],
    search: ['free trial {item} how long'],
    phrase: ['how long new members train free'],
    order: ['Find the free trial of {name}'],
  },
);

export const notice = factKind(
  'notice',
  {
    say: [
      'You can cancel your membership with a notice of {value}.',
      'The period of notice is {value}, formerly it was {other}.',
      'To leave us you give {value} of notice.',
      'Membership ends with a notice of {value}.',
      'We cut the notice from {other} to {value}.',
      'All contracts have a notice of {value}.',
    ],
    list: ['Notice: {value}', 'Period of notice {value}', 'Notice {value}, formerly {other}'],
    aside: ['Formerly the notice was {other}.', 'Old contracts had a notice of {other}.'],
    ask: [
      'What is the period of notice?',
      'With what notice can I cancel my membership?',
      'How much notice do I have to give?',
      'How long is the notice now?',
    ],
    search: ['{name} period of notice', '{item} cancel membership notice'],
    phrase: ['period of notice', 'notice for leaving {name}'],
    order: ['Tell me the period of notice'],
  },
  {
    say: [
      'You have to give {value} of notice.',
      'The notice is {value} now and not {other}.',
      'The notice for your membership is {value}.',
    ],
    list: ['Notice for leaving: {value}', 'Membership notice {value}'],
    aside: ['The notice in old contracts was {other}.'],
    ask: ['How long is the period of notice?', 'What notice does the membership have?'],
    search: ['notice membership {name}'],
    phrase: ['the notice I have to give'],
    order: ['Find the notice for the membership'],
  },
);
