//! `tegata protect dp`: counts, sums, means, quantiles and histograms under differential privacy; `budget`: the ledgers that they spend from.

use clap::{ArgGroup, Args};
use node::protect::Spending;
use pets::{
    dp::{Ledger, Person, Question, What, rho_of_epsilon},
    number::Decimal,
    ratio::Ratio,
};
use std::{path::PathBuf, process::ExitCode};
use words::{Arg, say};

/// δ is ten to the minus this wherever ε is spoken of.
const DELTA_EXPONENT: u32 = 6;

/// Open a privacy budget, or show what is left of those in a book.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata protect budget study.book.json --dataset visits --recipient clinic --unit patient --epsilon 2     open
  tegata protect budget study.book.json                                                                show all
  tegata protect budget study.book.json --dataset visits                                               show those of one dataset

A budget is for one dataset, one recipient and one unit of privacy (a key column, or `row`). It is set once; losses never come back.
ρ is zero-concentrated loss; ε is at δ = 10^-6.")]
pub struct Budget {
    /// The book: a file, made when the first budget is opened.
    book: PathBuf,
    /// The dataset's name.
    #[arg(long, value_name = "NAME", )]
    dataset: Option<String>,
    /// Who gets the answers.
    #[arg(long, value_name = "NAME", requires = "dataset")]
    recipient: Option<String>,
    /// One person is: a key column, or `row`.
    #[arg(long, value_name = "COLUMN", requires = "dataset")]
    unit: Option<String>,
    #[command(flatten)]
    loss: Loss,
    /// Print the book as it is.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    common: crate::verbs::Common,
}

/// How much privacy.
#[derive(Args)]
#[group(id = "loss", multiple = false)]
struct Loss {
    /// Zero-concentrated loss, such as 1/8 or 0.02.
    #[arg(long, value_name = "RHO")]
    rho: Option<Ratio>,
    /// The same as ε at δ = 10^-6, such as 1 or 0.5; rounded down to ρ.
    #[arg(long, value_name = "EPSILON")]
    epsilon: Option<Ratio>,
}

impl Loss {
    fn rho(&self) -> Result<Ratio, String> {
        let rho = self.rho.or_else(|| rho_of_epsilon(self.epsilon?, DELTA_EXPONENT));
        rho.filter(|r| *r > Ratio::ZERO).ok_or_else(|| "error[TGT-C002]: --rho or --epsilon must be above zero".into())
    }
}

/// Runs `budget`.
pub fn budget(budget: Budget) -> ExitCode {
    super::end(open_or_show(&budget))
}

fn open_or_show(budget: &Budget) -> Result<u8, String> {
    if budget.loss.rho.is_some() || budget.loss.epsilon.is_some() {
        let (Some(dataset), Some(recipient), Some(unit)) = (&budget.dataset, &budget.recipient, &budget.unit) else {
            return Err("error[TGT-C002]: a budget is opened with --dataset, --recipient, --unit and --rho or --epsilon".into());
        };
        let ledger = Ledger::open(dataset, recipient, unit, budget.loss.rho()?);
        node::protect::open_ledger(&budget.book, ledger).map_err(super::wrong)?;
    }
    let book = node::protect::book(&budget.book).map_err(super::wrong)?;
    let book = book.ok_or_else(|| format!("error[TGT-N006]: there is no book `{}`; open a budget with --dataset, --recipient, --unit and --rho", budget.book.display()))?;
    if budget.json {
        crate::verbs::print_lines(&[serde_json::to_string(&book).unwrap_or_default()]);
        return Ok(0);
    }
    let language = budget.common.voice().language;
    let mut out = Vec::new();
    let wanted = |asked: &Option<String>, is: &str| asked.as_ref().is_none_or(|a| a == is);
    let shown = |l: &&Ledger| wanted(&budget.dataset, &l.dataset) && wanted(&budget.recipient, &l.recipient) && wanted(&budget.unit, &l.unit);
    for ledger in book.ledgers().iter().filter(shown) {
        out.push(format!("{} / {} / {}", ledger.dataset, ledger.recipient, ledger.unit));
        for loss in ledger.losses() {
            out.push(format!("  {}  ρ {:<12} {}", loss.on, loss.rho.to_string(), loss.asked));
        }
        out.push(format!("  {}", left(language, ledger)));
        if let Some(all) = book.lost_to_all(&ledger.dataset, &ledger.unit).filter(|all| *all > spent(ledger)) {
            out.push(format!("  {}", say(language, "dp-together", &[("rho", Arg::Text(&all.to_string()))])));
        }
    }
    if out.is_empty() {
        let known: std::collections::BTreeSet<&str> = book.ledgers().iter().map(|l| l.dataset.as_str()).collect();
        let known: Vec<&str> = known.into_iter().collect();
        return Err(format!("error[TGT-N006]: `{}` has no such budget; its datasets are {}", budget.book.display(), known.join(", ")));
    }
    crate::verbs::print_lines(&out);
    Ok(0)
}

fn spent(ledger: &Ledger) -> Ratio {
    ledger.budget().checked_sub(ledger.left()).unwrap_or_else(|| ledger.budget())
}

fn left(language: model::text::Language, ledger: &Ledger) -> String {
    say(language, "dp-left", &[
        ("left", Arg::Text(&ledger.left().to_string())),
        ("of", Arg::Text(&ledger.budget().to_string())),
        ("epsilon", Arg::Text(&format!("{:.2}", ledger.epsilon(DELTA_EXPONENT)))),
    ])
}

/// Ask a table with noise: counts, sums, means, quantiles, histograms. Each answer costs privacy from a budget, and nothing else is shown.
#[derive(Args)]
#[command(group(ArgGroup::new("what").required(true).multiple(false).args(["count", "sum", "mean", "histogram", "quantile"])), after_help = "Examples:
  tegata protect dp visits.csv --book study.book.json --dataset visits --recipient clinic --person patient --rows-max 3 \\
    --count --by sex --group female --group male --epsilon 0.5
  tegata protect dp visits.csv --book study.book.json --dataset visits --recipient clinic --person patient --rows-max 1 \\
    --mean systolic_mmhg --bounds 80..200 --by sex,prefecture --group female/Miyagi --group male/Miyagi --rho 1/16
  tegata protect dp visits.csv --book study.book.json --dataset visits --recipient clinic --one-row-each --histogram age --edges 20,40,60,80 --rho 1/32
  tegata protect dp visits.csv --book study.book.json --dataset visits --recipient clinic --one-row-each --quantile age --share 1/2 --edges 10,20,30,40,50,60,70,80 --rho 1/8

The groups and edges are yours to name: groups read off the data would tell who is there.
Rows of one person beyond --rows-max do not count. The loss is in the book before an answer is printed; no seed and no noise is kept.
Exit code: 0 answered, 11 the budget does not cover it, 2 usage.")]
pub struct Dp {
    /// A table: .csv (UTF-8 or Shift_JIS), .jsonl, .xlsx, .parquet or .arrow.
    file: PathBuf,
    /// The book of budgets (see `tegata protect budget`).
    #[arg(long, value_name = "FILE")]
    book: PathBuf,
    /// The dataset's name in the book.
    #[arg(long, value_name = "NAME")]
    dataset: String,
    /// Who gets the answers.
    #[arg(long, value_name = "NAME")]
    recipient: String,
    /// The column whose values are persons.
    #[arg(long, value_name = "COLUMN", conflicts_with = "one_row_each", required_unless_present = "one_row_each")]
    person: Option<String>,
    /// Rows of one person that count.
    #[arg(long, value_name = "N", requires = "person")]
    rows_max: Option<u32>,
    /// Each row is another person.
    #[arg(long)]
    one_row_each: bool,
    /// Count rows.
    #[arg(long)]
    count: bool,
    /// Add up a column.
    #[arg(long, value_name = "COLUMN", requires = "bounds")]
    sum: Option<String>,
    /// The mean of a column.
    #[arg(long, value_name = "COLUMN", requires = "bounds")]
    mean: Option<String>,
    /// Count the rows between the edges of a column.
    #[arg(long, value_name = "COLUMN", requires = "edges")]
    histogram: Option<String>,
    /// The edge of a column below which a share of its numbers lies; 1/2 for the median.
    #[arg(long, value_name = "COLUMN", requires = "edges", requires = "share")]
    quantile: Option<String>,
    /// The share of a quantile, such as 1/2 or 0.9.
    #[arg(long, value_name = "SHARE", requires = "quantile")]
    share: Option<Ratio>,
    /// Numbers beyond count as these: LOW..HIGH.
    #[arg(long, value_name = "LOW..HIGH", allow_hyphen_values = true)]
    bounds: Option<String>,
    /// Decimals of a sum or mean.
    #[arg(long, value_name = "N", default_value_t = 0)]
    decimals: u32,
    /// Edges of a histogram, or those among which a quantile is drawn.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', allow_hyphen_values = true)]
    edges: Vec<String>,
    /// Columns to group by.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', requires = "group")]
    by: Vec<String>,
    /// A group to answer for: its values, with `/` between those of several columns.
    #[arg(long, value_name = "VALUES", requires = "by")]
    group: Vec<String>,
    #[command(flatten)]
    loss: Loss,
    /// Print the answers as one JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    common: crate::verbs::Common,
}

/// Runs `dp`.
pub fn run(dp: Dp) -> ExitCode {
    super::end(answer(&dp))
}

fn answer(dp: &Dp) -> Result<u8, String> {
    let question = question(dp)?;
    let spending = Spending { book: &dp.book, dataset: &dp.dataset, recipient: &dp.recipient, rho: dp.loss.rho()?, on: crate::verbs::today() };
    let (answers, ledger) = match node::protect::ask(&dp.file, &question, &spending) {
        Err(e @ node::protect::ProtectError::Refused(pets::dp::Refused::BudgetSpent { .. })) => {
            errln!("{}", super::wrong(e));
            return Ok(11);
        }
        other => other.map_err(super::wrong)?,
    };
    if dp.json {
        crate::verbs::print_lines(&[serde_json::to_string(&answers).unwrap_or_default()]);
        return Ok(0);
    }
    let language = dp.common.voice().language;
    let mut out = Vec::new();
    for answer in &answers.answers {
        let of = answer.of.map(|n| format!("  ({n})")).unwrap_or_default();
        out.push(format!("  {:<32} {}{of}", answer.group.join(" / "), answer));
    }
    // Two thirds of answers lie within one deviation, nineteen of twenty within two.
    let unit = 10f64.powi(answers.answers.first().map_or(0, |a| a.decimals) as i32);
    let deviation: Vec<String> = answers.variance.iter().zip([unit, 1.0]).map(|(v, unit)| format!("{:.2}", v.to_f64().sqrt() / unit)).collect();
    let id = match answers.variance.len() {
        0 => "dp-drawn",
        2 => "dp-noise-mean",
        _ => "dp-noise",
    };
    out.push(say(language, id, &[("deviation", Arg::Text(&deviation.join(", "))), ("rho", Arg::Text(&answers.rho.to_string()))]));
    out.push(left(language, &ledger));
    crate::verbs::print_lines(&out);
    Ok(0)
}

fn question(dp: &Dp) -> Result<Question, String> {
    let usage = |why: &str| format!("error[TGT-C002]: {why}");
    let bounds = || -> Result<(i64, i64), String> {
        let text = dp.bounds.as_deref().unwrap_or_default();
        let ends = text.split_once("..").and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?)));
        ends.ok_or_else(|| usage(&format!("`{text}` is not LOW..HIGH in whole numbers, such as 80..200")))
    };
    let edges = || -> Result<Vec<Decimal>, String> {
        let number = |t: &String| t.trim().parse::<Decimal>().map_err(|_| usage(&format!("`{t}` is no number; edges are such as 20,40,60")));
        dp.edges.iter().map(number).collect()
    };
    let what = if let Some(column) = &dp.sum {
        let (low, high) = bounds()?;
        What::Sum { column: column.clone(), low, high, decimals: dp.decimals }
    } else if let Some(column) = &dp.mean {
        let (low, high) = bounds()?;
        What::Mean { column: column.clone(), low, high, decimals: dp.decimals }
    } else if let Some(column) = &dp.histogram {
        What::Histogram { column: column.clone(), edges: edges()? }
    } else if let Some((column, of)) = dp.quantile.as_ref().zip(dp.share) {
        What::Quantile { column: column.clone(), of, edges: edges()? }
    } else {
        What::Count
    };
    let person = match (&dp.person, dp.rows_max) {
        (None, _) => Person::Row,
        (Some(column), Some(rows_max)) => Person::Key { column: column.clone(), rows_max },
        (Some(_), None) => return Err(usage("--person needs --rows-max: without a bound on one person's rows there is no privacy")),
    };
    let groups = dp.group.iter().map(|g| g.split('/').map(|v| v.trim().to_string()).collect()).collect();
    Ok(Question { by: dp.by.clone(), groups, what, person })
}
