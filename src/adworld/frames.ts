/**
 * What frames the facts of an advertisement: openings, sentences that state several facts at once, closings and small talk, in a
 * bank for training and one for evaluation. Texts only.
 *
 * Beside `name`, `brand` and `item` a slot may be a kind of fact (`color`, `price`): then the sentence states that fact.
 */
import type { Bank } from './ad.js';
import type { Family } from './scene.js';

export interface Frame {
  readonly opening: readonly string[];
  /** Several facts in one sentence. */
  readonly joint: readonly string[];
  readonly closing: readonly string[];
  /** Small talk without facts. */
  readonly filler: readonly string[];
  readonly title: readonly string[];
}

type Frames = Readonly<Record<Family, Readonly<Record<Bank, Frame>>>>;

const callNow = ['Call us or drop in.', 'We look forward to meeting you.', 'Any questions? Just ask us.'];

export const FRAMES: Frames = {
  product: {
    train: {
      opening: [
        'Meet the {name}, {a item} you will want to keep.',
        'New in our shop: the {name}, {a item} for every day.',
        'Looking for {a item}? The {name} may be the one.',
        'On sale now: the {item} {name}.',
        'The {name} is {a item} that does what it should.',
        '{A color} {item} for {price}: that is the {name}.',
        'The {name} is {a item} made of {material}.',
        'Good news for {audience}: the {item} {name} is here.',
        'For sale: {a item} in {color}, the {name}.',
        'Our {item} of the month is the {name}.',
      ],
      joint: [
        'It weighs {weight} and measures {size}.',
        'Made of {material}, it weighs {weight}.',
        'It comes in {color} and is made of {material}.',
        'Delivery takes {delivery} and the warranty lasts {warranty}.',
        'You get {included}, and with the code {code} it gets cheaper.',
        'Customers rate it {rating}, and returns are free for {returns}.',
        'It is made in {origin} and comes with {warranty} of warranty.',
        'Standard shipping costs {shipping} and takes {delivery}.',
      ],
      closing: [
        'Order today while stocks last.',
        'You will not regret it.',
        'Only while stocks last.',
        'Order online or visit our shop.',
        'Treat yourself or someone you like.',
        'We pack it with care.',
      ],
      filler: [
        'It looks good and feels even better.',
        'Nothing rattles, nothing squeaks.',
        'We tried it for weeks and were happy.',
        'A small thing that makes a big difference.',
        'It has been one of our bestsellers for a long time.',
        'Easy to use and easy to clean.',
        'Every detail has been thought through.',
      ],
      title: ['{name} {item}', '{Item} {name}', '{name}, {item}'],
    },
    evaluation: {
      opening: [
        'We are happy to show you the {name}, {a item} by {brand}.',
        'The {name} is here: {a item} for {audience}.',
        '{A color} {item} for {price}, the {name} from {brand}.',
        'Here is the {name}, {a item} that we like a lot.',
        'Do you need {a item}? Take a look at the {name}.',
        'Now in our shop: {a color} {item} called {name}.',
        'The {item} {name} is a friend for every day.',
        'Say hello to the {name}, {a item} of {material}.',
      ],
      joint: [
        'The {item} measures {size} and weighs {weight}.',
        'Its color is {color} and its material {material}.',
        'The warranty is {warranty} and the delivery time {delivery}.',
        'It is rated {rating} and made in {origin}.',
      ],
      closing: ['Come by or order online.', 'Get yours before they are gone.', 'A good buy for many years.'],
      filler: [
        'Once you have tried it you will not give it back.',
        'It does its work quietly and well.',
        'We like it because it is simple and strong.',
        'Many of our customers came back for a second one.',
      ],
      title: ['{Item}: {name}', 'The {item} {name}'],
    },
  },
  book: {
    train: {
      opening: [
        '{Name} is {a item} you will not put down.',
        'New on our shelves: {name}, {a item} for {audience}.',
        'Looking for {a item}? Try {name}.',
        'Our {item} of the month is {name}.',
        'With {name} comes {a item} that everybody talks about.',
        '{Name}, {a item} by {author}, is here.',
      ],
      joint: [
        'It has {pages} and costs {price}.',
        'Written by {author}, it has {pages}.',
        'The new edition comes out on {published} and has {pages}.',
        'Readers rate it {rating}, and delivery takes {delivery}.',
        'You also get {included} with your {item}.',
      ],
      closing: ['Happy reading!', 'Order your copy now.', 'A perfect present.', 'Ask for it in your bookshop.'],
      filler: [
        'You will laugh and you may cry.',
        'We read it in one night.',
        'The paper is thick and the print is large.',
        'Everyone in our shop has read it.',
        'It is a book to keep and to lend.',
      ],
      title: ['{Name}, {item}', '{Name} - {a item}'],
    },
    evaluation: {
      opening: [
        'Have you read {name}? This {item} is for {audience}.',
        'For long evenings: {name}, {a item}.',
        'Here comes {name}, {a item} that we love.',
        'Do you need {a item}? Read {name}.',
        '{Name} is the new {item} by {author}.',
      ],
      joint: [
        'It costs {price} and has {pages}.',
        'The author is {author} and the new edition has {pages}.',
        'It is published on {published} and rated {rating}.',
      ],
      closing: ['Get your copy today.', 'A good present for a friend.'],
      filler: [
        'We could not stop reading.',
        'The print is large and the paper is good.',
        'Many of our customers bought a second copy.',
      ],
      title: ['{Name} ({item})', 'The {item} {name}'],
    },
  },
  car: {
    train: {
      opening: [
        'For sale: my {item}, {a name}.',
        'I am selling my {name}, a well kept {item}.',
        '{A color} {item} for sale, {a brand} with character.',
        'Used {item} {name}, built in {year}, looks for a new garage.',
        'My trusty {item} {name} needs a new home.',
        'We have to part with our {item}, {a name}.',
      ],
      joint: [
        'Built in {year}, it has run {mileage}.',
        'It runs on {fuel} and has {power}.',
        'It has had {owners}, and the next inspection is due in {inspection}.',
        'The car is {color} and runs on {fuel}.',
        'It has {mileage} on the clock, and I ask {price} for it.',
      ],
      closing: [
        'Test drives are possible any evening.',
        'First come, first served.',
        'Serious buyers only, please.',
        'Come and take it for a drive.',
      ],
      filler: [
        'It has never let me down.',
        'No rust, no smoke, no accidents.',
        'It was always kept in a garage.',
        'The seats are clean and the radio works.',
        'We sell it because the family is growing.',
      ],
      title: ['{name} {item}', 'Used {item} {name}'],
    },
    evaluation: {
      opening: [
        'Who would like to drive my {name}? It is {a item} in {color}.',
        'My {item} is for sale, {a name} built in {year}.',
        'Our {item}, {a name}, is for sale.',
        'I sell {a color} {item}, {a name}.',
        '{A name} looks for a new owner, it is a good {item}.',
      ],
      joint: [
        'It was built in {year} and runs on {fuel}.',
        'The {item} has run {mileage} and needs its next inspection in {inspection}.',
        'It has {power} and {mileage} on the clock.',
      ],
      closing: ['Come for a test drive.', 'Call before it is gone.'],
      filler: [
        'The car has always been good to us.',
        'No smoke, no rust, and clean seats.',
        'I sell it because I have moved to the city.',
      ],
      title: ['{Item}: {name}', 'The {item} {name}'],
    },
  },
  shop: {
    train: {
      opening: [
        'Welcome to {name}, your {item}.',
        '{Name} is {a item} with a heart.',
        'Have you been to {name} yet? It is {a item} for everyone.',
        'Looking for {a item}? Come to {name}.',
        '{Name}, the {item} around the corner, has good news.',
        'Step into {name}, {a item} like no other.',
        'Since {founded} {name} has been the {item} of the town.',
      ],
      joint: [
        'You find us at {place}, phone {phone}.',
        'We are open {hours} on weekdays and {saturday} on Saturdays.',
        'We are at {place} and closed on {closed}.',
        'Founded in {founded}, the {item} is known for {specialty}.',
        'You can park {parking} and pay {payment}.',
        'Call {phone} or visit {website}.',
        'There is {feature}, and our specialty is {specialty}.',
      ],
      closing: ['See you soon!', 'Come in and say hello.', 'We are happy to help you.', ...callNow],
      filler: [
        'Everybody is welcome here.',
        'We know most of our guests by name.',
        'There is always a good smell in the air.',
        'Our team has been together for years.',
        'You will feel at home at once.',
        'We do things slowly and well.',
      ],
      title: ['{Name}, {item}', '{Name} - your {item}'],
    },
    evaluation: {
      opening: [
        'Everyone in town knows {name}, the {item}.',
        'A visit to {name}, your {item}, is always worth it.',
        'You love {specialty}? Then {name} is your {item}.',
        '{Name} is the {item} for you.',
        'Do you know {name}? It is {a item} that we love.',
        'Come to {name}, {a item} with good people.',
        'Here is {name}, your {item} since {founded}.',
      ],
      joint: [
        'Our address is {place} and our phone number {phone}.',
        'On weekdays we open {hours}, on Saturdays {saturday}.',
        'Guests park {parking} and pay {payment}.',
        'Our specialty is {specialty}, and you will enjoy {feature}.',
      ],
      closing: ['Come by soon.', 'We are looking forward to you.', 'You are always welcome.'],
      filler: [
        'Our guests come back again and again.',
        'You will feel welcome from the first moment.',
        'We love what we do and do it well.',
        'The team knows you by name.',
      ],
      title: ['{Item}: {name}', 'The {item} {name}'],
    },
  },
  service: {
    train: {
      opening: [
        'Do you need {a item}? {Name} can help.',
        '{Name} is the {item} you can rely on.',
        'When things go wrong, call {name}, your {item}.',
        '{Name}: {a item} with clean hands and fair prices.',
        'Your {item} in {area} is {name}.',
        'For jobs large and small there is {name}, your {item}.',
      ],
      joint: [
        'Call us at {phone}, we arrive within {response}.',
        'We charge {rate} per hour, and our work is guaranteed for {guarantee}.',
        'We are experts in {expertise} and work in {area}.',
        'On weekdays we are open {hours}, on Saturdays {saturday}.',
        'The owner is {owner}, who started in {founded}.',
        'By day the call-out fee is {callout}, and you can pay {payment}.',
      ],
      closing: ['We leave everything clean.', 'You will be surprised how fast we are.', ...callNow],
      filler: [
        'We come when we say we will.',
        'No job is too small for us.',
        'Our prices are clear from the start.',
        'We speak so that you understand us.',
        'Our tools are new and our people are friendly.',
      ],
      title: ['{Name}, {item}', '{Name} - {item} at your service'],
    },
    evaluation: {
      opening: [
        'Nobody likes to wait for {a item}. Call {name}!',
        '{Name} is {a item} who comes when called.',
        '{Name} is your {item} for all jobs.',
        'Call {name} when you need {a item}.',
        'Here to help: {name}, {a item} with fair prices.',
      ],
      joint: [
        'An hour of work costs {rate}, and you have a guarantee of {guarantee}.',
        'We work in {area} and are with you within {response}.',
        'Our phone number is {phone} and our website {website}.',
      ],
      closing: ['We are happy to help.', 'Just give us a call.'],
      filler: [
        'We are fast, friendly and clean.',
        'Our people know their work and love it.',
        'You always know the price before we start.',
      ],
      title: ['{Item}: {name}', 'The {item} {name}'],
    },
  },
  course: {
    train: {
      opening: [
        'Learn something new: {name} offers {a item}.',
        'Join the {item} at {name}.',
        '{Name} has a place for you in the next {item}.',
        'Our {item} at {name} is for {audience}.',
        'A new {item} begins at {name}.',
        'Have you always wanted to join {a item}? Come to {name}.',
      ],
      joint: [
        'It starts on {start} and lasts {duration}.',
        'The {item} costs {price} and is taught by {teacher}.',
        'We meet {schedule} at {place}.',
        'The group has {group} at most, and the teacher is {teacher}.',
        'Sign up by {deadline} or call {phone}.',
        'The price includes {included}, so just bring {bring}.',
      ],
      closing: [
        'We are looking forward to learning with you.',
        'Places go fast.',
        'Nobody is too old to learn.',
        ...callNow,
      ],
      filler: [
        'We laugh a lot and learn a lot.',
        'You need no experience at all.',
        'Our rooms are bright and quiet.',
        'Many friendships have started here.',
        'We learn by doing, not by listening.',
      ],
      title: ['{Item} at {name}', '{Name} and its {item}'],
    },
    evaluation: {
      opening: [
        '{Name} invites you to {a item} for {audience}.',
        'A new {item} is on offer at {name}.',
        'At {name} you can join {a item}.',
        'Come to the {item} at {name} and learn something.',
        'The next {item} at {name} is for you.',
      ],
      joint: [
        'The {item} begins on {start} and takes {duration}.',
        'Your teacher is {teacher} and the price is {price}.',
        'The lessons are {schedule} at {place}.',
      ],
      closing: ['Come and learn with us.', 'There are only a few places.'],
      filler: [
        'We learn a lot and have a good time.',
        'No experience is needed, only a little time.',
        'Our rooms are quiet and our people friendly.',
      ],
      title: ['{Item} ({name})', 'The {item} at {name}'],
    },
  },
  stay: {
    train: {
      opening: [
        'Spend your holidays at {name}, {a item} to fall in love with.',
        '{Name} is {a item} for quiet days.',
        'Looking for {a item}? {Name} is waiting for you.',
        'Welcome to {name}, our {item}.',
        'Wake up to birdsong at {name}, {a item} with {feature}.',
        'Need a break? Book {name}, {a item} you will remember.',
      ],
      joint: [
        'A night costs {nightly}, and it sleeps {sleeps}.',
        'Check-in is from {checkin}, and the minimum stay is {minimum}.',
        'There is {feature}, and your host is {host}.',
        'We ask for a deposit of {deposit}, and you can cancel free up to {cancellation} before arrival.',
        'You find us at {place}, phone {phone}.',
      ],
      closing: ['Book now, summer is short.', 'We keep a key ready for you.', 'Your holiday starts here.', ...callNow],
      filler: [
        'The beds are soft and the nights are quiet.',
        'In the morning you hear nothing but birds.',
        'Our guests come back year after year.',
        'The rooms are bright and freshly painted.',
        'You will sleep like a child.',
      ],
      title: ['{Name}, {item}', '{Item} {name}'],
    },
    evaluation: {
      opening: [
        'At {name}, {a item} with {feature}, the holidays begin.',
        'Quiet days are waiting at {name}, our {item}.',
        '{Name} is the {item} for your holidays.',
        'Come to {name}, {a item} with {feature}.',
        'Do you need a break? Our {item} is called {name}.',
      ],
      joint: [
        'It has beds for {sleeps} and costs {nightly} per night.',
        'You can check in from {checkin} and stay for {minimum} or more.',
        'Your host is {host} and the phone number is {phone}.',
      ],
      closing: ['We are looking forward to your stay.', 'Book before it is too late.'],
      filler: [
        'The nights are quiet and the mornings are bright.',
        'You will sleep well and wake up happy.',
        'Many guests come back every year.',
      ],
      title: ['{Item}: {name}', 'The {item} {name}'],
    },
  },
  event: {
    train: {
      opening: [
        '{Name}: {a item} you should not miss.',
        'Do not miss {name}, {a item} for everyone.',
        'Come to {name}, the {item} of the year.',
        '{Name} is back! The {item} takes place on {date}.',
        'We invite you to {name}, {a item} with heart.',
        'On {date} it is time for {name}, our {item}.',
        'The {item} {name} is coming to town.',
      ],
      joint: [
        'On {date} it begins at {time}.',
        'It takes place on {date} at {venue}.',
        'We meet at {venue} at {time}.',
        'The ticket costs {price} and includes {included}.',
        'It lasts {duration} and is for {age}.',
        'Call {phone} or visit {website} for tickets.',
        'With {performer} on stage it starts at {time}.',
      ],
      closing: [
        'Get your ticket in time.',
        'Bring your friends.',
        'See you there!',
        'It is going to be wonderful.',
        'There will be music, laughter and good company.',
      ],
      filler: [
        'Last time we had to turn people away.',
        'Come early if you like to sit in front.',
        'There is something for everybody.',
        'Rain or shine, we will be there.',
      ],
      title: ['{Name} - {item}', '{Name} - come to the {item}'],
    },
    evaluation: {
      opening: [
        'We invite you to the {item} {name}!',
        'Have you heard of {name}? This {item} is for everyone.',
        'Keep {date} free for {name}, our {item}.',
        '{Name} is {a item} for you and your friends.',
        'Come to the {item} {name}!',
        'It is time for {name}, the {item} on {date}.',
        'Here comes {name}, {a item} to remember.',
      ],
      joint: [
        'The {item} is on {date} and begins at {time}.',
        'At {venue} we start at {time}.',
        'It is for {age} and lasts {duration}.',
        'The price of the ticket is {price}, with {included}.',
      ],
      closing: ['We look forward to you and your friends.', 'Do come, it will be wonderful.'],
      filler: [
        'There will be something for everyone.',
        'Come early, last time people had to stand.',
        'You will remember it for a long time.',
      ],
      title: ['{Name} ({item})', 'The {item} {name}'],
    },
  },
};
