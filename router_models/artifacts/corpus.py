"""The text that projections are fitted on: kinds of request times topics, written for this purpose alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

FORMS: Final = (
    "What is {topic}?",
    "Who first described {topic} and when?",
    "Explain {topic} to a ten year old.",
    "Explain in detail how {topic} works, with examples.",
    "Write a short story about {topic}.",
    "Write a poem about {topic}.",
    "Summarise the following article about {topic} in three sentences: {passage}",
    "Give me a one line summary. {passage}",
    (
        'Is the sentiment of this review positive or negative? "I bought it because of {topic} and it was a '
        'terrible waste of money."'
    ),
    'Rate this review from 1 to 5 stars: "Wonderful, I loved everything about {topic}!"',
    "Classify the text into one of: sports, politics, business, science. Text: {passage}",
    "Translate to German: I would like to know more about {topic}.",
    'Translate the following sentence into Spanish: "{passage}"',
    "Correct the spelling and grammar: Teh studnets was lerning abuot {topic} yestreday.",
    "Hello! How are you today? Let's talk about {topic}.",
    "Thanks, that was helpful. Tell me something fun about {topic}.",
    "Write an email to my manager about {topic}.",
    "Write a Python function that stores and searches records about {topic}.",
    'def solve(items):\n    """Return the items related to {topic}, sorted by name."""',
    (
        "Write a function to find the longest word in a list about {topic}. Your code should pass the test: assert "
        'longest(["a","bb"]) == "bb"'
    ),
    'Fix the bug in this JavaScript code: function f(a) {{ retrun a.filter(x => x.topic == "{topic}") }}',
    "Write an SQL query that counts rows per month in a table about {topic}.",
    "What does this error mean? TypeError: 'NoneType' object is not iterable, in a program about {topic}",
    "Write a regular expression that matches dates in a text about {topic}.",
    "Write a bash command that finds all files which mention {topic}.",
    "Return a JSON object with the fields name, date and price for: {passage}",
    "Extract all names and dates from this text: {passage}",
    "What is 17 * 23 + {number}?",
    "Compute {number} divided by 7 and round to two decimals.",
    "Solve for x: {number}x + 3 = 48.",
    "Find the derivative of f(x) = x^3 - {number}x + 1.",
    "Let $f(x) = x^2 + {number}x$. Find the sum of the roots of $f$. Put the answer in \\boxed{{}}.",
    "How many ways are there to choose 3 of {number} people for a committee?",
    "A shop sells {number} books about {topic} on Monday and half as many on Tuesday. How many did it sell in all?",
    "Tom has {number} marbles. He gives a third to Anna and buys 12 more. How many marbles does he have now?",
    "A train travels {number} km in 3 hours. What is its average speed? Show your steps.",
    "Convert {number} miles to kilometres.",
    "How many days are there between 3 March and 17 {month}?",
    (
        "Which of the following statements about {topic} is correct?\nA. It was discovered recently\n"
        "B. It depends on temperature\nC. It is never observed\nD. None of these\nAnswer with the letter."
    ),
    ("Question: In the study of {topic}, which factor matters most?\n(A) size (B) age (C) colour (D) energy\nAnswer:"),
    (
        "Choose the best answer. What would someone most likely do after learning about {topic}? A) sleep B) study "
        "C) run D) eat"
    ),
    "Where would you put a book about {topic}? Options: shelf, oven, river, garden",
    "True or false: {passage}",
    (
        "There are four friends. Each likes a different thing: one likes {topic}, one likes tea, one likes music, "
        "one likes maps. Clue 1: Ann sits left of Bob. Who likes {topic}?"
    ),
    "All poets are dreamers. Some dreamers study {topic}. Does it follow that some poets study {topic}?",
    "If it rains the match is cancelled. The match about {topic} took place. Did it rain?",
    "Make a sentence with these words: {topic}, walk, table, red",
    "Complete the paragraph: She opened the door and saw a display on {topic}. Then she",
    "Who won the prize for work on {topic} in 1998?",
    "In which country did {topic} become popular first?",
    "What year was the first book on {topic} published?",
    (
        "A court hears a dispute on {topic}. The plaintiff claims damages for breach. Is the defendant liable? "
        "Explain the rule."
    ),
    "A 45-year-old patient asks about {topic} and reports chest pain and fever. What is the most likely diagnosis?",
    "A company with revenue of ${number} million considers {topic}. What is the effect on its balance sheet?",
    "Calculate the energy in joules of a body of {number} kg moving at 3 m/s.",
    "Balance the equation and name the products for a reaction related to {topic}.",
    "According to the theory of {topic}, what would Kant or Mill argue?",
    "Act as an expert in {topic} and give me a plan for one week.",
    "Compare {topic} with its main alternative in a table.",
    "What are the pros and cons of {topic}?",
    "Give me five ideas for a talk about {topic}.",
    "What should I cook tonight? I like {topic}.",
    "Recommend a film for someone interested in {topic}.",
    "Remind me what we said about {topic} earlier.",
    "Continue.",
    "{passage}",
    "Write a product description for an online shop that sells goods on {topic}.",
    "Write unit tests for the class that handles {topic}.",
    (
        "Refactor this function to be faster: for i in range(len(a)): for j in range(len(a)): if a[i]==a[j] and "
        "i!=j: print(a[i])"
    ),
    "Detect the language of this text: Je voudrais en savoir plus sur {topic}.",
    "Qu'est-ce que {topic} et pourquoi est-ce important ?",
    "Was ist {topic}? Bitte erkläre es kurz.",
    "¿Qué es {topic} y cómo funciona?",
    "Explain the joke about {topic}.",
    'Is this sarcastic? "Oh great, another lecture on {topic}."',
    "Plan a trip: three days, a budget of {number} dollars, interest in {topic}.",
    "Give the definition, the history and the main formula of {topic}.",
    "Write a legal clause that limits liability for {topic}.",
    "Paraphrase: {passage}",
    "Find synonyms of the key words in: {passage}",
    "Put these events in order: the end of {topic}, the beginning of {topic}, a discovery about {topic}.",
    'Count the letters in the word "{word}".',
    'Reverse the string "{word}" and give only the result.',
    "Sort these numbers: {number}, 4, 19, 7, 1002.",
)

SENTENCES: Final = (
    "Researchers said on Tuesday that {topic} has changed more in the last ten years than in the century before.",
    "The committee met to discuss {topic} and agreed on a budget for the coming year.",
    "Many people believe that {topic} is simple, but in practice it takes years of work.",
    "Early results about {topic} were disappointing, yet the team went on and found a better method.",
    "The old man spoke about {topic} for hours while the children listened.",
    "Sales linked to {topic} rose by 12 percent, while costs fell.",
)

TOPICS: Final = (
    "the French Revolution, photosynthesis, black holes, contract law, inflation and interest rates, "
    "Shakespeare's tragedies, the periodic table, plate tectonics, human anatomy, machine learning, "
    "supply and demand, World War II, the water cycle, quantum mechanics, Greek mythology, vaccines, jazz "
    "music, the Roman Empire, cell division, electric circuits, climate change, football, cooking pasta, "
    "moral philosophy, child psychology, operating systems, organic chemistry, the stock market, "
    "Buddhism, medieval castles, space travel, bridges, gardening, tax law, the immune system, marketing "
    "strategy, probability, Newton's laws, genetics, the Cold War, dinosaurs, computer networks, "
    "accounting, astronomy, poetry, negotiation, nutrition, volcanoes, ancient Egypt, movies, mountain "
    "climbing, prime numbers, triangles, a train journey, a birthday party, apples and oranges, a savings "
    "account, a swimming pool, a hotel booking, a broken laptop, a restaurant visit, electric cars, "
    "online shopping, dogs and cats, weather, public transport, a job interview, a holiday in Spain, "
    "sleep, running shoes, a novel, a phone contract, insurance, renting a flat, criminal procedure, "
    "constitutional rights, heart disease, antibiotics, diabetes, mental health, ethics of medicine, "
    "thermodynamics, fluid flow, magnetism, acids and bases, ecology, evolution, bacteria, databases, "
    "sorting algorithms, recursion, linked lists, strings and characters, dates and times, matrices, "
    "integrals, linear equations, geometry of circles, logarithms, fractions, percentages, speed and "
    "distance, counting problems, chess, the Olympic Games, the European Union, elections, religion in "
    "India, Chinese history, American presidents, slavery, the Renaissance, architecture, painting, "
    "opera, fashion, farming, fishing, the ocean, birds, insects, trees, steel production, oil and gas, "
    "solar power, robots, sociology of the family, education policy, gender, immigration, advertising, "
    "management, logistics, corporate finance, game theory, monetary policy, unemployment, trade, logic, "
    "epistemology, free will, utilitarianism, memory, perception, personality, therapy"
)

VARIANTS: Final = 40
"""Texts made of each kind of request."""


def corpus() -> Iterator[str]:
    """Every kind of request about ``VARIANTS`` topics, with other sentences and numbers each time; always the same."""
    topics = TOPICS.split(", ")
    for form, pattern in enumerate(FORMS):
        for variant in range(VARIANTS):
            turn = form * VARIANTS + variant
            topic = topics[turn * 37 % len(topics)]
            chosen = [SENTENCES[(turn + step) % len(SENTENCES)] for step in range(1 + turn % 4)]
            passage = " ".join(sentence.format(topic=topic) for sentence in chosen)
            month = ("May", "June", "October")[turn % 3]
            yield pattern.format(
                topic=topic, passage=passage, number=5 + turn * 61 % 395, month=month, word=topic.split()[-1]
            )
