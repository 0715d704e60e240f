/** What products are like: looks, measures, materials, service. Texts only. */
import { factKind } from './kind.js';

export const color = factKind(
  'color',
  {
    say: [
      'It comes in {value}.',
      'The {item} is {value}.',
      'The color is {value}.',
      'This {item} is {value}, not {other} like the one in the photo.',
      'We sell the {item} in {value}; the {other} one is gone.',
      'You get the {item} in {value}.',
      'Dressed in {value}, it looks good everywhere.',
      'The {item} has a lovely {value} finish, unlike the {other} one of last year.',
    ],
    list: ['Color: {value}', 'In {value}', 'Color {value} (photo shows {other})'],
    aside: ['The {item} in the photo is the old {other} one.', 'The {other} one of last year is sold out.'],
    ask: [
      'What color is the {item}?',
      'Which color does the {item} have?',
      'In which color is the {item} sold?',
      'What color do I get?',
    ],
    search: ['{item} color', '{name} color'],
    phrase: ['color of the {item}', 'the color in which the {item} is sold'],
    order: ['Tell me the color of the {item}'],
  },
  {
    say: [
      'You get it in a lovely {value}.',
      'The color of this {item} is {value} and not {other}.',
      'Its color is {value}.',
      'The {item} is sold in {value}, while the photo shows the {other} one.',
      'This one comes in {value}.',
    ],
    list: ['Color of the {item}: {value}', 'Sold in {value}'],
    aside: ['The photo shows the {other} one of last year.'],
    ask: ['Which color is the {item}?', 'What is the color of the {item}?'],
    search: ['what color {item}'],
    phrase: ['the color of {name}'],
    order: ['Find the color of the {item}'],
  },
);

export const weight = factKind(
  'weight',
  {
    say: [
      'It weighs {value}.',
      'The {item} weighs {value}, the older model {other}.',
      'The weight is {value}.',
      'With a weight of {value} it is easy to move.',
      'It brings {value} to the scales.',
      'The {item} has a weight of {value}; its forerunner had {other}.',
      'You carry no more than {value}.',
      'While the older model weighed {other}, this {item} weighs {value}.',
    ],
    list: ['Weight: {value}', 'Weighs {value}', 'Weight {value}, older model {other}'],
    aside: ['The older model weighed {other}.', 'Its forerunner still brought {other} to the scales.'],
    ask: [
      'How heavy is the {item}?',
      'How much does the {item} weigh?',
      'What is the weight of the new {item}?',
      'How much weight do I carry with this {item}?',
    ],
    search: ['{item} weight', '{name} weight'],
    phrase: ['weight of the {item}', 'the weight of {name}'],
    order: ['Tell me how much the {item} weighs'],
  },
  {
    say: [
      'You carry only {value}.',
      'It has a weight of just {value}, the older model {other}.',
      'The {item} itself weighs {value}.',
      'Its weight is {value}, while the older model had {other}.',
      'On the scales it shows {value}.',
    ],
    list: ['Weight of the {item}: {value}', 'Weighs only {value}'],
    aside: ['The weight of the older model was {other}.'],
    ask: ['What does the {item} weigh?', 'What is the weight of the {item}?'],
    search: ['how heavy {item}'],
    phrase: ['how much {name} weighs'],
    order: ['Find the weight of the {item}'],
  },
);

export const size = factKind(
  'size',
  {
    say: [
      'It measures {value}.',
      'The {item} measures {value}, in its box {other}.',
      'The dimensions are {value}.',
      'With dimensions of {value} it fits almost anywhere.',
      'Its size is {value}.',
      'The {item} takes up {value}; the box takes up {other}.',
      'Plan a space of {value} for the {item}.',
    ],
    list: ['Size: {value}', 'Dimensions: {value}', 'Measures {value}, box {other}'],
    aside: ['The box measures {other}.', 'In its box it takes up {other}.'],
    ask: [
      'How big is the {item}?',
      'What are the dimensions of the {item}?',
      'What size is the {item}?',
      'How much space does the {item} take up?',
    ],
    search: ['{item} dimensions', '{name} size'],
    phrase: ['dimensions of the {item}', 'size of the {item} without the box'],
    order: ['Tell me the size of the {item}'],
  },
  {
    say: [
      'With its {value} it fits into every room.',
      'It takes up a space of {value}.',
      'The size of the {item} is {value}.',
      'Its dimensions are {value}, those of the box {other}.',
      'The {item} needs a space of {value}.',
    ],
    list: ['Size of the {item}: {value}', 'Dimensions {value} (box {other})'],
    aside: ['The dimensions of the box are {other}.'],
    ask: ['How large is the {item}?', 'What does the {item} measure?'],
    search: ['how big {item}'],
    phrase: ['the dimensions of {name}'],
    order: ['Find the dimensions of the {item}'],
  },
);

export const material = factKind(
  'material',
  {
    say: [
      'It is made of {value}.',
      'The {item} is made of {value}, no longer of {other}.',
      'We use {value} for the {item}.',
      'The material is {value}.',
      'Made of {value}, it will last for years.',
      'The makers chose {value} instead of {other}.',
      'Only {value} goes into this {item}.',
    ],
    list: ['Material: {value}', 'Made of {value}', 'Material {value}, formerly {other}'],
    aside: ['The older model was made of {other}.', 'We no longer use {other}.'],
    ask: [
      'What is the {item} made of?',
      'Which material is used for the {item}?',
      'What material is the {item}?',
      'Of which material is the {item} made?',
    ],
    search: ['{item} material', '{name} made of'],
    phrase: ['material of the {item}', 'what the {item} is made of'],
    order: ['Tell me the material of the {item}'],
  },
  {
    say: [
      'It was made of {value} and will last.',
      'The {item} is all {value}.',
      'The material of the {item} is {value}.',
      'Its material is {value}, while the older model was of {other}.',
      'For this {item} only {value} is used.',
    ],
    list: ['Material used: {value}', 'Of {value}'],
    aside: ['Formerly the material was {other}.'],
    ask: ['Which material is the {item} made of?', 'What is the material of the {item}?'],
    search: ['material {name}'],
    phrase: ['the material that is used for the {item}'],
    order: ['Find out what the {item} is made of'],
  },
);

export const warranty = factKind(
  'warranty',
  {
    say: [
      'It comes with a warranty of {value}.',
      'The warranty on the {item} lasts {value}, on accessories {other}.',
      'We give a warranty of {value}.',
      'You have {value} of warranty.',
      'The maker gives {value} of warranty on the {item} and {other} on accessories.',
      'The {item} is under warranty for {value}.',
    ],
    list: ['Warranty: {value}', '{value} of warranty', 'Warranty {value} (accessories {other})'],
    aside: ['For accessories the warranty is {other}.', 'Accessories are under warranty for {other} only.'],
    ask: [
      'How long is the warranty on the {item}?',
      'What warranty does the {item} have?',
      'For how long is the {item} under warranty?',
      'How long does the warranty of the {item} last?',
    ],
    search: ['{item} warranty', '{name} warranty length'],
    phrase: ['warranty on the {item}', 'length of the warranty for the {item}'],
    order: ['Tell me how long the warranty of the {item} is'],
  },
  {
    say: [
      'You get a warranty of {value} on the {item}.',
      'For {value} the {item} is under warranty by the maker.',
      'The {item} has {value} of warranty.',
      'The warranty is {value}, but {other} on accessories.',
      'Our warranty on the {item} is {value}.',
    ],
    list: ['Warranty on the {item}: {value}', 'Under warranty for {value}'],
    aside: ['The warranty on accessories is {other}.'],
    ask: ['How many years or months of warranty does the {item} have?', 'How long do I have warranty on the {item}?'],
    search: ['warranty {name}'],
    phrase: ['how long the warranty lasts'],
    order: ['Find the warranty of the {item}'],
  },
);

export const deliveryTime = factKind(
  'delivery',
  {
    say: [
      'Delivery takes {value}.',
      'Delivery takes {value}, to the islands {other}.',
      'It will be at your door within {value}.',
      'We deliver within {value}.',
      'You have it at home after {value}, on the islands after {other}.',
      'Order now and wait only {value} for delivery.',
    ],
    list: ['Delivery: {value}', 'Delivery time {value}', 'Delivered in {value} (islands {other})'],
    aside: ['Delivery to the islands takes {other}.', 'On the islands please allow {other}.'],
    ask: [
      'How long does delivery take?',
      'When will the {item} be delivered after I order?',
      'What is the normal delivery time?',
      'How long do I wait for the {item}?',
    ],
    search: ['{item} delivery time', 'delivery {name}'],
    phrase: ['normal delivery time', 'time until the {item} is at my door'],
    order: ['Tell me the delivery time of the {item}'],
  },
  {
    say: [
      'Your {item} is delivered within {value}.',
      'You wait {value} for your delivery, on the islands {other}.',
      'The delivery time is {value}.',
      'We deliver in {value}, on the islands in {other}.',
      'The {item} is at your door after {value}.',
    ],
    list: ['Time for delivery: {value}', 'Delivered within {value}'],
    aside: ['The delivery time to the islands is {other}.'],
    ask: ['How long is the delivery time?', 'How fast is the {item} delivered?'],
    search: ['how long delivery {item}'],
    phrase: ['the delivery time for {name}'],
    order: ['Find out how long delivery takes'],
  },
);

export const rating = factKind(
  'rating',
  {
    say: [
      'Customers rate it {value}.',
      'Our customers give it {value}, after {other} last year.',
      'It is rated {value} by our guests and customers.',
      'The average rating is {value}.',
      'With a rating of {value} it is a favorite; last year it was {other}.',
      'People who tried it gave {value}.',
    ],
    list: ['Rating: {value}', 'Rated {value}', 'Rating {value}, last year {other}'],
    aside: ['Last year the rating was {other}.', 'A year ago people gave only {other}.'],
    ask: [
      'What rating does it have?',
      'How is {name} rated?',
      'How do customers rate the {item} now?',
      'What is the average rating?',
    ],
    search: ['{name} rating', '{item} customer rating'],
    phrase: ['average rating of the {item}', 'current customer rating'],
    order: ['Tell me the rating of {name}'],
  },
  {
    say: [
      'People give it {value}, and last year it was {other}.',
      'Its customers are happy: {value}.',
      'Its average rating is {value}.',
      'The rating is {value} now and was {other} last year.',
      'Customers gave it {value}.',
    ],
    list: ['Average rating: {value}', 'Customer rating {value}'],
    aside: ['Its rating a year ago was {other}.'],
    ask: ['How good is the rating of the {item}?', 'What do customers give it now?'],
    search: ['rating {item}'],
    phrase: ['how customers rate {name}'],
    order: ['Find the average rating'],
  },
);

export const included = factKind(
  'included',
  {
    say: [
      'Included: {value}.',
      'The price includes {value}, but not {other}.',
      'You also get {value}.',
      'It comes with {value}; {other} can be added for a fee.',
      'We include {value} at no extra cost.',
      'Together with it you receive {value}.',
    ],
    list: ['Included: {value}', 'With {value}', 'Includes {value} (not {other})'],
    aside: ['Not included: {other}.', 'You pay extra for {other}.'],
    ask: [
      'What is included with it?',
      'What does the price include?',
      'What comes with the {item}?',
      'What do I get together with the {item}?',
    ],
    search: ['{item} included', '{name} what comes with it'],
    phrase: ['what is included with the {item}', 'things included in the price'],
    order: ['List what is included', 'Tell me what comes with the {item}'],
  },
  {
    say: [
      'The {item} comes with {value} at no extra cost.',
      'You receive {value}, but pay for {other}.',
      'The {item} comes together with {value}.',
      'The price covers {value}, while you pay extra for {other}.',
      'With the {item} you get {value}.',
    ],
    list: ['The price includes {value}', 'You get {value}'],
    aside: ['The price does not include {other}.'],
    ask: ['What is included in the price?', 'What do I get with the {item}?'],
    search: ['what is included {item}'],
    phrase: ['the things that come with the {item}'],
    order: ['Tell me what the price includes'],
  },
);

export const audience = factKind(
  'audience',
  {
    say: [
      'It is perfect for {value}.',
      'Made for {value}, less so for {other}.',
      'We recommend it for {value}.',
      'This {item} was made with {value} in mind.',
      'It is the right choice for {value}, not for {other}.',
      'Above all {value} will love it.',
    ],
    list: ['For {value}', 'Best for {value}', 'For {value}, not for {other}'],
    aside: ['It is not meant for {other}.', 'For {other} we have something else.'],
    ask: [
      'Who is the {item} for?',
      'For whom is it made?',
      'Who should choose this {item}?',
      'For whom do you recommend the {item}?',
    ],
    search: ['{item} for whom', 'who is {name} for'],
    phrase: ['people the {item} is made for', 'who should use the {item}'],
    order: ['Tell me who the {item} is for'],
  },
  {
    say: [
      'We made this {item} for {value}.',
      'Nobody will love it more than {value}.',
      'The {item} is meant for {value}.',
      'It is best for {value}, but we do not recommend it for {other}.',
      'This is the right {item} for {value}.',
    ],
    list: ['Made for {value}', 'Recommended for {value}'],
    aside: ['We do not recommend it for {other}.'],
    ask: ['For whom is the {item} meant?', 'Who will love this {item}?'],
    search: ['who should use {name}'],
    phrase: ['for whom the {item} is best'],
    order: ['Say for whom the {item} is made'],
  },
);

export const maker = factKind(
  'maker',
  {
    say: [
      'The maker is {value}.',
      'It is made by {value} and sold by {other}.',
      'The {item} was built by {value}.',
      '{value} makes it, {other} only sells it.',
      'Behind the {item} stands the maker {value}.',
      'The {item} comes from the workshop of {value}.',
    ],
    list: ['Maker: {value}', 'Made by {value}', 'Maker {value}, seller {other}'],
    aside: ['It is sold by {other}.', 'The seller is {other}.'],
    ask: [
      'Who makes the {item}?',
      'Which company makes the {item}?',
      'Who is the maker of the {item}?',
      'By whom was the {item} made?',
    ],
    search: ['{item} maker', 'company that makes the {item}'],
    phrase: ['maker of the {item}', 'the company behind the {item}'],
    order: ['Name the maker of the {item}'],
  },
  {
    say: [
      'We buy it from the maker {value}.',
      'The company {value} makes this {item}.',
      'Its maker is {value}.',
      'The {item} is made in the workshop of {value}; {other} is the seller.',
      'This {item} was made by {value}.',
    ],
    list: ['From the workshop of {value}', 'From the maker {value}'],
    aside: ['You buy it from the seller {other}.'],
    ask: ['Who made this {item}?', 'Which maker is behind the {item}?'],
    search: ['who makes {item}'],
    phrase: ['the maker behind the {item}'],
    order: ['Tell me who makes the {item}'],
  },
);

export const returns = factKind(
  'returns',
  {
    say: [
      'You can return it within {value}.',
      'Returns are free for {value}, sale items for {other}.',
      'If you do not like it, send it back within {value}.',
      'We take the {item} back within {value}.',
      'The return period is {value} and {other} for sale items.',
      'You may try the {item} at home for {value} and still return it.',
    ],
    list: ['Returns within {value}', 'Return period: {value}', 'Returns {value}, sale items {other}'],
    aside: ['Sale items can be returned for {other}.', 'For sale items the return period is {other}.'],
    ask: [
      'How long can I return the {item}?',
      'What is the normal return period?',
      'Within what time can I send the {item} back?',
      'How long do I have to return it?',
    ],
    search: ['{item} return period', '{name} returns'],
    phrase: ['normal return period', 'time to send the {item} back'],
    order: ['Tell me how long I can return the {item}'],
  },
  {
    say: [
      'If you do not like the {item}, you have {value} to return it.',
      'We take it back for {value}.',
      'The {item} can be returned for {value}.',
      'Send it back within {value}, sale items within {other}.',
      'We give you a return period of {value}.',
    ],
    list: ['You can return it for {value}', 'Period for returns: {value}'],
    aside: ['You can return sale items within {other}.'],
    ask: ['How long is the return period?', 'How long may I send the {item} back?'],
    search: ['return {name} how long'],
    phrase: ['the return period for the {item}'],
    order: ['Find the return period'],
  },
);

export const origin = factKind(
  'origin',
  {
    say: [
      'It is made in {value}.',
      'The {item} comes from {value}.',
      'It is made in {value}, no longer in {other}.',
      'Every piece is made by hand in {value}.',
      'The factory stands in {value}; until last year it stood in {other}.',
      'Each {item} travels to you from {value}.',
    ],
    list: ['Made in {value}', 'Origin: {value}', 'Made in {value}, formerly in {other}'],
    aside: ['The older model came from {other}.', 'Until last year it was made in {other}.'],
    ask: [
      'Where is the {item} made?',
      'In which country is the {item} made?',
      'Which country does the {item} come from?',
      'Where does the {item} come from?',
    ],
    search: ['{item} made in', '{name} country of origin'],
    phrase: ['country where the {item} is made', 'origin of the {item}'],
    order: ['Tell me where the {item} is made'],
  },
  {
    say: [
      'The {item} travels to you from {value}, where it is made.',
      'The {item} is made by hand in {value}.',
      'Its origin is {value}, while the older model came from {other}.',
      'We have it made in {value}.',
    ],
    list: ['Country of origin: {value}', 'It comes from {value}'],
    aside: ['Formerly it was made in {other}.'],
    ask: ['What is the country of origin of the {item}?', 'From which country does the {item} come?'],
    search: ['where is {item} made'],
    phrase: ['the country of origin'],
    order: ['Find out where the {item} comes from'],
  },
);
