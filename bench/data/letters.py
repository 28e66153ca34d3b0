"""Writes invented letters in English and Japanese that mention invented people, numbers and addresses."""
import random, sys
from faker import Faker
random.seed(7); Faker.seed(7)
en, ja = Faker("en_US"), Faker("ja_JP")
lines = []
for i in range(int(sys.argv[1])):
    lines.append(f"Dear {en.name()}, thank you for your letter of {en.date()}. {en.paragraph(nb_sentences=3)} Please call {en.phone_number()} or write to {en.email()}; your order {random.randint(10**7,10**8)} goes to {en.street_address()}, {en.city()}. {en.paragraph(nb_sentences=2)}".replace("\n", " "))
    lines.append(f"{ja.name()}様 お世話になっております。{ja.company()}の{ja.name()}です。ご連絡先は{ja.phone_number()}、{ja.email()}でよろしいでしょうか。送り先は{ja.address()}です。よろしくお願いいたします。")
print("\n".join(lines))
